#include "commands.hpp"

#include <iterator>
#include <utility>

namespace cli {

std::vector<Command> all_commands() {
    std::vector<Command> all;
    for (auto* const commands :
         {account_commands,        sender_commands,          template_commands,
          send_commands,           messages_commands,
#ifdef TWILIOWA_CLI_SQLITE
          customer_commands,
#ifdef TWILIOWA_CLI_CAMPAIGNS
          campaign_make_commands,  campaign_decide_commands, campaign_look_commands,
#endif
          outbox_enqueue_commands, outbox_run_commands,      outbox_look_commands,
          outbox_decide_commands,  inbox_look_commands,      inbox_decide_commands,
#endif
          explain_commands,        doctor_commands,          verify_commands,
          trigger_commands,        listen_commands,          emulator_commands,
          completion_commands,     manual_commands}) {
        auto some = commands();
        std::move(some.begin(), some.end(), std::back_inserter(all));
    }
    return all;
}

}  // namespace cli
