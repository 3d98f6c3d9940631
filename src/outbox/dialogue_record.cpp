#include "outbox/dialogue_record.hpp"

#include <chrono>
#include <utility>

#include "text/ascii.hpp"

namespace twiliowa::detail {
namespace {

constexpr std::string_view dialogue_form = "dialogue1";

using DialogueValues = decltype(DialogueState::values);

/// Each text after its length.
class DialogueWriter {
public:
    void text(std::string_view part) {
        out_.append(std::to_string(part.size())).append(1, ':').append(part);
    }
    void number(std::int64_t value) { text(std::to_string(value)); }
    void count(std::size_t value) { text(std::to_string(value)); }
    std::string take() && { return std::move(out_); }

private:
    std::string out_{dialogue_form};
};

/// Reads as long as what is there is sound.
class DialogueReader {
public:
    explicit DialogueReader(std::string_view text)
        : left_(text), sound_(text.starts_with(dialogue_form)) {
        if (sound_) left_.remove_prefix(dialogue_form.size());
    }

    std::string_view text() {
        const auto colon = left_.find(':');
        const auto size = colon == std::string_view::npos
                              ? std::nullopt
                              : parse_number<std::size_t>(left_.substr(0, colon));
        sound_ = sound_ && size && *size <= left_.size() - colon - 1;
        if (!sound_) return {};
        const auto part = left_.substr(colon + 1, *size);
        left_.remove_prefix(colon + 1 + *size);
        return part;
    }
    template <class Number>
    Number number() {
        const auto value = parse_number<Number>(text());
        sound_ = sound_ && value;
        return value.value_or(Number{});
    }
    bool flag() { return number<int>() != 0; }
    bool is_sound() const noexcept { return sound_; }
    bool is_whole() const noexcept { return sound_ && left_.empty(); }

private:
    std::string_view left_;
    bool sound_;
};

/// Writes what the values of `before` had where those of `now` have something else.
void write_difference(DialogueWriter& out, const DialogueValues& now,
                      const DialogueValues& before) {
    std::vector<std::pair<std::string_view, const std::string*>> differing;
    for (const auto& [name, value] : now) {
        const auto was = before.find(name);
        if (was == before.end()) {
            differing.emplace_back(name, nullptr);
        } else if (was->second != value) {
            differing.emplace_back(name, &was->second);
        }
    }
    for (const auto& [name, value] : before) {
        if (!now.contains(name)) differing.emplace_back(name, &value);
    }
    out.count(differing.size());
    for (const auto& [name, value] : differing) {
        out.text(name);
        out.number(value == nullptr ? 0 : 1);
        if (value != nullptr) out.text(*value);
    }
}

void read_difference(DialogueReader& in, DialogueValues& values) {
    const auto count = in.number<std::size_t>();
    for (std::size_t i = 0; i < count && in.is_sound(); ++i) {
        const auto name = std::string{in.text()};
        if (in.flag()) {
            values[name] = in.text();
        } else {
            values.erase(name);
        }
    }
}

}  // namespace

std::string dialogue_text(const DialogueRecord& record) {
    DialogueWriter out;
    out.number(
        std::chrono::duration_cast<std::chrono::nanoseconds>(record.written.time_since_epoch())
            .count());
    out.number(record.state.version);
    out.text(record.state.step);
    out.count(record.state.values.size());
    for (const auto& [name, value] : record.state.values) {
        out.text(name);
        out.text(value);
    }
    out.number(record.fence);
    out.count(record.handled.size());
    for (const auto& sid : record.handled) out.text(sid);
    out.number(record.before ? 1 : 0);
    if (record.before) {
        out.number(record.before->version);
        out.text(record.before->step);
        write_difference(out, record.state.values, record.before->values);
    }
    return std::move(out).take();
}

std::optional<DialogueRecord> parse_dialogue(std::string_view text) {
    DialogueReader in{text};
    DialogueRecord record;
    record.written = TimePoint{std::chrono::duration_cast<TimePoint::duration>(
        std::chrono::nanoseconds{in.number<std::int64_t>()})};
    record.state.version = in.number<int>();
    record.state.step = in.text();
    const auto values = in.number<std::size_t>();
    for (std::size_t i = 0; i < values && in.is_sound(); ++i) {
        auto name = std::string{in.text()};
        record.state.values[std::move(name)] = in.text();
    }
    record.fence = in.number<std::int64_t>();
    const auto handled = in.number<std::size_t>();
    for (std::size_t i = 0; i < handled && in.is_sound(); ++i) {
        record.handled.emplace_back(in.text());
    }
    if (in.flag()) {
        auto& before = record.before.emplace();
        before.version = in.number<int>();
        before.step = in.text();
        before.values = record.state.values;
        read_difference(in, before.values);
    }
    if (!in.is_whole()) return std::nullopt;
    return record;
}

}  // namespace twiliowa::detail
