#include "messages_client/message_codec.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <utility>

#include "text/json_scanner.hpp"
#include "text/json_walk.hpp"

namespace twiliowa::detail {

namespace {

template <class Record>
using TextMember = std::pair<std::string_view, std::string Record::*>;

constexpr std::array<TextMember<Message>, 10> message_texts{{
    {"account_sid", &Message::account_sid},
    {"messaging_service_sid", &Message::messaging_service_sid},
    {"from", &Message::from},
    {"to", &Message::to},
    {"body", &Message::body},
    {"error_message", &Message::error_message},
    {"price", &Message::price},
    {"price_unit", &Message::price_unit},
    {"api_version", &Message::api_version},
    {"uri", &Message::uri},
}};

constexpr std::array<TextMember<Media>, 4> media_texts{{
    {"account_sid", &Media::account_sid},
    {"parent_sid", &Media::parent_sid},
    {"content_type", &Media::content_type},
    {"uri", &Media::uri},
}};

template <class Record, std::size_t N>
bool assign_text(Record& record, const std::array<TextMember<Record>, N>& fields,
                 std::string_view name, JsonScalar& value) {
    for (const auto& [field, member] : fields) {
        if (field != name) continue;
        record.*member = value.as_text();
        return true;
    }
    return false;
}

void assign(Message& message, std::string_view name, JsonScalar value) {
    if (name == "sid") {
        message.sid = MessageSid::from_wire(value.as_text());
    } else if (name == "status") {
        message.status = MessageStatus(value.as_text());
    } else if (name == "direction") {
        message.direction = Direction(value.as_text());
    } else if (name == "error_code") {
        message.error_code = value.as_int();
    } else if (name == "num_media") {
        message.num_media = value.as_int();
    } else if (name == "num_segments") {
        message.num_segments = value.as_int();
    } else if (name == "date_created") {
        message.date_created = value.as_date();
    } else if (name == "date_sent") {
        message.date_sent = value.as_date();
    } else if (name == "date_updated") {
        message.date_updated = value.as_date();
    } else {
        assign_text(message, message_texts, name, value);
    }
}

/// A value one level deeper: only the links of a message interest us.
void assign_nested(Message& message, std::string_view group, std::string_view name,
                   JsonScalar value) {
    if (group != "subresource_uris") return;
    if (name == "media") {
        message.media_uri = value.as_text();
    } else if (name == "feedback") {
        message.feedback_uri = value.as_text();
    }
}

void assign(Media& media, std::string_view name, JsonScalar value) {
    if (name == "sid") {
        media.sid = MediaSid::from_wire(value.as_text());
    } else if (name == "date_created") {
        media.date_created = value.as_date();
    } else if (name == "date_updated") {
        media.date_updated = value.as_date();
    } else {
        assign_text(media, media_texts, name, value);
    }
}

void assign_nested(Media&, std::string_view, std::string_view, const JsonScalar&) {}

/// Walks a document once. A record is the root object, or, where `list_name` is given, each object
/// of the root's array of that name. Whatever else it meets is passed over, at any depth.
template <class Record>
class RecordReader final : public JsonEvents {
public:
    explicit RecordReader(Record& record) : record_(&record), record_depth_(1) {}
    RecordReader(Page<Record>& page, std::string_view list_name)
        : page_(&page), list_name_(list_name), record_depth_(3) {}

    void start_object() override {
        ++depth_;
        if (depth_ == 1) root_is_object_ = true;
        if (page_ != nullptr && depth_ == record_depth_ && in_list_) {
            record_ = &page_->items.emplace_back();
        }
    }
    void end_object() override {
        if (page_ != nullptr && depth_ == record_depth_) record_ = nullptr;
        --depth_;
    }
    void start_array() override {
        ++depth_;
        if (page_ != nullptr && depth_ == 2 && key_ == list_name_) {
            in_list_ = true;
            list_seen_ = true;
        }
    }
    void end_array() override {
        if (depth_ == 2) in_list_ = false;
        --depth_;
    }
    void key(std::string_view name) override {
        if (depth_ <= record_depth_) {
            key_ = name;
        } else {
            nested_key_ = name;
        }
    }
    void string(std::string_view value) override { scalar({value, {}}); }
    void integer(std::int64_t value) override { scalar({{}, value}); }
    void other() override { scalar({}); }

    /// Whether the document was what it should be, apart from its fields.
    bool saw_document() const noexcept {
        return root_is_object_ && (page_ == nullptr || list_seen_);
    }

private:
    void scalar(JsonScalar value) {
        if (record_ != nullptr && depth_ == record_depth_) {
            assign(*record_, key_, value);
        } else if (record_ != nullptr && depth_ == record_depth_ + 1) {
            assign_nested(*record_, key_, nested_key_, value);
        } else if (page_ != nullptr && depth_ == 1 && key_ == "next_page_uri") {
            page_->next = value.as_text();
        }
    }

    Record* record_ = nullptr;
    Page<Record>* page_ = nullptr;
    std::string_view list_name_;
    int record_depth_;
    int depth_ = 0;
    bool root_is_object_ = false;
    bool in_list_ = false;
    bool list_seen_ = false;
    std::string_view key_;
    std::string_view nested_key_;
};

template <class Record>
Decoded read_records(std::string_view json, RecordReader<Record>& reader) {
    const bool whole = scan_json(json, reader);
    return whole && reader.saw_document() ? Decoded::complete : Decoded::broken;
}

}  // namespace

Decoded decode_message(std::string_view json, Message& message) {
    RecordReader<Message> reader(message);
    return read_records(json, reader);
}

MessageSid find_message_sid(std::string_view json) {
    // Within a string the quotes would have backslashes.
    constexpr std::string_view name = "\"sid\"";
    constexpr std::size_t sid_size = 34;
    MessageSid found;
    for (auto at = json.find(name); at != std::string_view::npos; at = json.find(name, at + 1)) {
        const auto colon = json.find_first_not_of(" \t\r\n", at + name.size());
        if (colon == std::string_view::npos || json[colon] != ':') continue;
        const auto quote = json.find_first_not_of(" \t\r\n", colon + 1);
        if (quote == std::string_view::npos || json[quote] != '"') continue;
        const auto sid = MessageSid::parse(json.substr(quote + 1, sid_size));
        if (!sid) continue;
        if (!found.empty()) return {};
        found = *sid;
    }
    return found;
}

Decoded decode_message_page(std::string_view json, Page<Message>& page) {
    RecordReader<Message> reader(page, "messages");
    return read_records(json, reader);
}

Decoded decode_media_page(std::string_view json, Page<Media>& page) {
    RecordReader<Media> reader(page, "media_list");
    return read_records(json, reader);
}

}  // namespace twiliowa::detail
