#include <twiliowa/messaging_response.hpp>

#include <algorithm>
#include <optional>
#include <utility>

#include "text/ascii.hpp"
#include "text/utf8.hpp"
#include "types/message_limits.hpp"

namespace twiliowa {

namespace {

using namespace std::string_view_literals;

constexpr std::string_view twiml_declaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";

/// Whether it is one of XML 1.0's Char; `sequence` is well-formed UTF-8.
bool is_xml_character(std::string_view sequence) noexcept {
    const auto lead = static_cast<unsigned char>(sequence.front());
    if (lead < 0x20) return lead == '\t' || lead == '\n' || lead == '\r';
    return sequence != "\xef\xbf\xbe" && sequence != "\xef\xbf\xbf";
}

enum class XmlPlace { text, attribute };

/// A parser turns a literal CR into LF, and white space in attributes into spaces; references stay.
std::string_view xml_escape(char c, XmlPlace place) noexcept {
    switch (c) {
        case '&':
            return "&amp;";
        case '<':
            return "&lt;";
        case '>':
            return "&gt;";
        case '\r':
            return "&#13;";
        default:
            break;
    }
    if (place == XmlPlace::attribute) {
        if (c == '"') return "&quot;";
        if (c == '\n') return "&#10;";
        if (c == '\t') return "&#9;";
    }
    return {};
}

/// ASCII that stands in XML for itself.
constexpr detail::ByteTable plain_in_xml = [] {
    detail::ByteTable plain{};
    for (unsigned c = 0x20; c < 0x80; ++c) plain[c] = c != '&' && c != '<' && c != '>' && c != '"';
    return plain;
}();

/// Of the front of `text` that is all plain.
std::size_t plain_length(std::string_view text) noexcept {
    std::size_t length = 0;
    while (length < text.size() && plain_in_xml[static_cast<unsigned char>(text[length])]) {
        ++length;
    }
    return length;
}

/// Characters that are left of it in XML. What is not UTF-8 is replaced, and so remains.
std::size_t length_in_xml(std::string_view text) noexcept {
    std::size_t characters = 0;
    for (;;) {
        const auto plain = plain_length(text);
        characters += plain;
        text.remove_prefix(plain);
        if (text.empty()) return characters;
        const auto length = detail::utf8_sequence_length(text);
        if (length == 0 || is_xml_character(text.substr(0, length))) ++characters;
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }
}

bool is_empty_in_xml(std::string_view text) noexcept {
    return plain_length(text.substr(0, 1)) == 0 && length_in_xml(text) == 0;
}

bool is_on_whatsapp(std::string_view address) noexcept {
    return address.starts_with("whatsapp:");
}

/// What Twilio would refuse, or its channel drop. `customer` is who gets what names nobody.
std::optional<Error> reply_problem(const TwimlMessage& message, std::string_view customer) {
    const auto& media = message.media;
    if (std::any_of(media.begin(), media.end(), is_empty_in_xml)) {
        return Error::invalid_request("Media", "the URL of a reply's media is empty");
    }
    const auto length = length_in_xml(message.body);
    if (length == 0 && media.empty()) {
        return Error::invalid_request("Message", "a reply has neither body nor media",
                                      "return an empty MessagingResponse to say nothing");
    }
    if (auto problem = detail::body_length_problem(length)) return problem;
    const auto recipient = message.to.empty() ? customer : std::string_view{message.to};
    return detail::media_count_problem(media.size(), is_on_whatsapp(recipient));
}

void append_xml(std::string& out, std::string_view text, XmlPlace place) {
    for (;;) {
        const auto plain = plain_length(text);
        out += text.substr(0, plain);
        text.remove_prefix(plain);
        if (text.empty()) return;
        const auto length = detail::utf8_sequence_length(text);
        const auto sequence = text.substr(0, std::max<std::size_t>(length, 1));
        text.remove_prefix(sequence.size());
        if (length == 0) {
            out += "\xef\xbf\xbd"sv;
        } else if (const auto escape = xml_escape(sequence.front(), place); !escape.empty()) {
            out += escape;
        } else if (is_xml_character(sequence)) {
            out += sequence;
        }
    }
}

void append_attribute(std::string& out, std::string_view name, std::string_view value) {
    if (value.empty()) return;
    out += ' ';
    out += name;
    out += "=\""sv;
    append_xml(out, value, XmlPlace::attribute);
    out += '"';
}

void append_element(std::string& out, std::string_view begin, std::string_view text,
                    std::string_view end) {
    out += begin;
    append_xml(out, text, XmlPlace::text);
    out += end;
}

void append_message(std::string& out, const TwimlMessage& message) {
    out += "<Message"sv;
    append_attribute(out, "to", message.to);
    append_attribute(out, "from", message.from);
    append_attribute(out, "action", message.action);
    append_attribute(out, "method", message.method);
    append_attribute(out, "statusCallback", message.status_callback);
    out += '>';
    if (!is_empty_in_xml(message.body)) append_element(out, "<Body>", message.body, "</Body>");
    for (const auto& url : message.media) append_element(out, "<Media>", url, "</Media>");
    out += "</Message>"sv;
}

void append_redirect(std::string& out, std::string_view url, std::string_view method) {
    out += "<Redirect"sv;
    append_attribute(out, "method", method);
    out += '>';
    append_xml(out, url, XmlPlace::text);
    out += "</Redirect>"sv;
}

}  // namespace

MessagingResponse& MessagingResponse::message(std::string_view body) {
    verbs_.emplace_back().message.body = body;
    return *this;
}

MessagingResponse& MessagingResponse::message(TwimlMessage message) {
    verbs_.push_back({std::move(message), {}, {}, false});
    return *this;
}

MessagingResponse& MessagingResponse::redirect(std::string_view url, std::string_view method) {
    verbs_.push_back({{}, std::string{url}, std::string{method}, true});
    return *this;
}

std::vector<TwimlMessage> MessagingResponse::messages() const {
    std::vector<TwimlMessage> replies;
    for (const auto& verb : verbs_) {
        if (!verb.is_redirect) replies.push_back(verb.message);
    }
    return replies;
}

bool MessagingResponse::redirects() const noexcept {
    return std::any_of(verbs_.begin(), verbs_.end(),
                       [](const Verb& verb) { return verb.is_redirect; });
}

Result<std::string> MessagingResponse::try_xml_for(std::string_view customer) const {
    constexpr std::size_t usual_bytes = 256;
    std::string out;
    out.reserve(usual_bytes);
    out += twiml_declaration;
    if (verbs_.empty()) {
        out += "<Response/>"sv;
        return out;
    }
    out += "<Response>"sv;
    for (const auto& verb : verbs_) {
        if (verb.is_redirect) {
            if (is_empty_in_xml(verb.redirect_url)) {
                return Error::invalid_request("Redirect", "the URL to redirect to is empty");
            }
            append_redirect(out, verb.redirect_url, verb.redirect_method);
        } else {
            if (auto problem = reply_problem(verb.message, customer)) return *std::move(problem);
            append_message(out, verb.message);
        }
        if (out.size() > max_bytes) break;
    }
    out += "</Response>"sv;
    if (out.size() > max_bytes) {
        return Error::invalid_request("Response", "the TwiML is larger than 64 kB",
                                      "send long answers with MessagesClient", 11750);
    }
    return out;
}

Result<std::string> MessagingResponse::try_xml() const {
    return try_xml_for({});
}

std::string MessagingResponse::xml() const {
    return try_xml().value();
}

}  // namespace twiliowa
