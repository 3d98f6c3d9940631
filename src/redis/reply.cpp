#include <hiredis/hiredis.h>

#include <twiliowa/redis/redis_connection.hpp>

namespace twiliowa {

RedisReply redis_reply(const redisReply& reply) {
    switch (reply.type) {
        case REDIS_REPLY_STRING:
        case REDIS_REPLY_STATUS:
            return {RedisReplyKind::text, {reply.str, reply.len}};
        case REDIS_REPLY_ERROR:
            return {RedisReplyKind::error, {reply.str, reply.len}};
        case REDIS_REPLY_INTEGER:
            return {RedisReplyKind::number, {}, reply.integer};
        case REDIS_REPLY_ARRAY:
            break;
        default:
            return {};
    }
    // hiredis itself refuses what is nested more than a few times.
    RedisReply list{RedisReplyKind::list};
    list.list.reserve(reply.elements);
    for (std::size_t i = 0; i < reply.elements; ++i) {
        list.list.push_back(redis_reply(*reply.element[i]));
    }
    return list;
}

}  // namespace twiliowa
