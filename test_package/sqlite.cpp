// What a user writes whose service remembers in a file, and hands its messages over in another.
#include <filesystem>
#include <memory>

#include <twiliowa/outbox/outbox.hpp>
#include <twiliowa/sqlite/sqlite_outbox.hpp>
#include <twiliowa/sqlite/sqlite_store.hpp>
#include <twiliowa/state/opt_outs.hpp>

int main() {
    // Of an earlier version's run nothing is left.
    std::filesystem::remove("state.db");
    std::filesystem::remove("outbox.db");
    const auto store = std::make_shared<twiliowa::SqliteStore>("state.db");
    const twiliowa::OptOuts opt_outs{store};
    if (!opt_outs.opt_out("whatsapp:+14155238886", "+447700900123")) return 1;

    const twiliowa::MessagesClient client{
        twiliowa::Credentials::auth_token("AC0123456789abcdef0123456789abcdef", "token"),
        {.from = "+14155238886"}};
    twiliowa::Outbox outbox{std::make_shared<twiliowa::SqliteOutbox>("outbox.db"),
                            {.client = [&](std::string_view) { return client; }}};
    const twiliowa::OutboundText text{.to = "+447700900123", .body = "On its way"};
    outbox.enqueue(text, {.key = "order-1"});
    return outbox.enqueue(text, {.key = "order-1"}).existed ? 0 : 1;
}
