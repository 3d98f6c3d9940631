/// @file
/// The members of each type of content, once, for whoever reads or writes them.
#pragma once

#include <twiliowa/content/definition.hpp>

namespace twiliowa::detail {

/// A text that Twilio writes as a number, unless it is a variable.
struct NumberText {
    TextField& text;
};

// Each calls `visit(name, member)` in the order in which Twilio documents the members.

template <class Visit>
void visit_members(ContentAction& action, Visit&& visit) {
    visit("type", action.type);
    visit("title", action.title);
    visit("id", action.id);
    visit("url", action.url);
    visit("phone", action.phone);
    visit("code", action.code);
    visit("copy_code_text", action.copy_code_text);
    visit("webview_size", action.webview_size);
    visit("ttl_minutes", NumberText{action.ttl_minutes});
}

template <class Visit>
void visit_members(TextContent& content, Visit&& visit) {
    visit("body", content.body);
}

template <class Visit>
void visit_members(MediaContent& content, Visit&& visit) {
    visit("body", content.body);
    visit("media", content.media);
}

template <class Visit>
void visit_members(LocationContent& content, Visit&& visit) {
    visit("latitude", NumberText{content.latitude});
    visit("longitude", NumberText{content.longitude});
    visit("label", content.label);
    visit("id", content.id);
    visit("address", content.address);
}

template <class Visit>
void visit_members(QuickReplyContent& content, Visit&& visit) {
    visit("body", content.body);
    visit("actions", content.actions);
}

template <class Visit>
void visit_members(CallToActionContent& content, Visit&& visit) {
    visit("body", content.body);
    visit("actions", content.actions);
}

template <class Visit>
void visit_members(ContentListItem& item, Visit&& visit) {
    visit("id", item.id);
    visit("item", item.item);
    visit("description", item.description);
}

template <class Visit>
void visit_members(ListPickerContent& content, Visit&& visit) {
    visit("body", content.body);
    visit("button", content.button);
    visit("items", content.items);
}

template <class Visit>
void visit_members(CardContent& content, Visit&& visit) {
    visit("title", content.title);
    visit("body", content.body);
    visit("subtitle", content.subtitle);
    visit("media", content.media);
    visit("actions", content.actions);
}

template <class Visit>
void visit_members(CarouselCard& card, Visit&& visit) {
    visit("title", card.title);
    visit("body", card.body);
    visit("media", card.media);
    visit("actions", card.actions);
}

template <class Visit>
void visit_members(CarouselContent& content, Visit&& visit) {
    visit("body", content.body);
    visit("cards", content.cards);
}

template <class Visit>
void visit_members(WhatsAppCardContent& content, Visit&& visit) {
    visit("body", content.body);
    visit("footer", content.footer);
    visit("header_text", content.header_text);
    visit("media", content.media);
    visit("actions", content.actions);
}

template <class Visit>
void visit_members(AuthenticationContent& content, Visit&& visit) {
    visit("add_security_recommendation", content.add_security_recommendation);
    visit("code_expiration_minutes", content.code_expiration_minutes);
    visit("actions", content.actions);
}

template <class Visit>
void visit_members(WhatsAppFlowsContent& content, Visit&& visit) {
    visit("body", content.body);
    visit("button_text", content.button_text);
    visit("subtitle", content.subtitle);
    visit("media_url", content.media_url);
    visit("flow_id", content.flow_id);
    visit("flow_token", content.flow_token);
    visit("flow_first_page_id", content.flow_first_page_id);
    visit("is_flow_first_page_endpoint", content.is_flow_first_page_endpoint);
}

}  // namespace twiliowa::detail
