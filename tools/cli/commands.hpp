/// @file
/// Every command, by its noun.
#pragma once

#include <vector>

#include "command.hpp"

namespace cli {

std::vector<Command> account_commands();
std::vector<Command> completion_commands();
#ifdef TWILIOWA_CLI_SQLITE
std::vector<Command> customer_commands();
/// Those that hand jobs over, look at them, decide about them, and send them.
std::vector<Command> outbox_enqueue_commands();
std::vector<Command> outbox_look_commands();
std::vector<Command> outbox_decide_commands();
std::vector<Command> outbox_run_commands();
#ifdef TWILIOWA_CLI_CAMPAIGNS
/// Those that make campaigns, decide about them, and look at them.
std::vector<Command> campaign_make_commands();
std::vector<Command> campaign_decide_commands();
std::vector<Command> campaign_look_commands();
#endif
/// Those that look at events, and those that decide about them or fetch them.
std::vector<Command> inbox_look_commands();
std::vector<Command> inbox_decide_commands();
#endif
std::vector<Command> doctor_commands();
std::vector<Command> emulator_commands();
std::vector<Command> explain_commands();
std::vector<Command> listen_commands();
std::vector<Command> manual_commands();
std::vector<Command> messages_commands();
std::vector<Command> send_commands();
std::vector<Command> sender_commands();
std::vector<Command> template_commands();
/// Those of them that work offline.
std::vector<Command> template_file_commands();
std::vector<Command> trigger_commands();
std::vector<Command> verify_commands();

std::vector<Command> all_commands();

}  // namespace cli
