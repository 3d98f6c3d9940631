/// @file
/// The account's WhatsApp senders: list and fetch.
#pragma once

#include <vector>

#include <twiliowa/types/channel_sender.hpp>

#include "testing/fake_twilio/api/call.hpp"

namespace twiliowa::testing::fake {

/// What is reported of each of the account's.
std::vector<ChannelSender> whatsapp_senders(const FakeWorld& world, const FakeAccount& account);
HttpResponse serve_list_senders(const FakeCall& call);
HttpResponse serve_fetch_sender(const FakeCall& call);

}  // namespace twiliowa::testing::fake
