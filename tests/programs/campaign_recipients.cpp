/// Recipients of a campaign are added in little memory, however many they are: so many, read as a
/// stream, then all of them once more, which adds nobody.
///
/// Usage: campaign_recipients <recipients>: 1,000,000 in `./dev soak`.
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <istream>
#include <memory>
#include <string>

#include <twiliowa/campaign/campaigns.hpp>
#include <twiliowa/sqlite/sqlite_outbox.hpp>

#include "support/recipient_stream.hpp"

namespace {

using namespace twiliowa;

constexpr double most_megabytes = 64;

double peak_megabytes() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<double>(usage.ru_maxrss) / 1024;
}

AddedRecipients add(Campaigns& campaigns, int recipients) {
    test::RecipientStream stream{recipients};
    std::istream csv{&stream};
    return campaigns.add_csv("spring", csv);
}

bool fill(const std::string& path, int recipients) {
    Outbox outbox{std::make_shared<SqliteOutbox>(path)};
    Campaigns campaigns{outbox};
    CampaignDefinition definition;
    definition.id = "spring";
    // The sender is none of the recipients: who writes to themselves is refused.
    definition.variants.push_back(
        {.message = OutboundText{.body = "Hi, it is spring", .from = "+12025550143"}});
    campaigns.create(definition);
    // What a thousand take, any number does.
    add(campaigns, 1'000);
    const auto idle = peak_megabytes();
    const auto added = add(campaigns, recipients);
    const auto again = add(campaigns, recipients);
    const auto more = peak_megabytes() - idle;
    const auto progress = campaigns.progress("spring");
    std::printf(
        "%d recipients: %zu added, %zu known before, then %zu known; %.1f MB more than for "
        "1,000 (at most %.0f)\n",
        recipients, added.added, added.known, again.known, more, most_megabytes);
    for (const auto& fault : added.faults)
        std::printf("line %zu: %s\n", fault.line, fault.problem.c_str());
    const auto all = static_cast<std::size_t>(recipients);
    return added.added == all - 1'000 && added.known == 1'000 && again.known == all &&
           progress.recipients == recipients && progress.waiting == recipients &&
           more <= most_megabytes;
}

}  // namespace

int main(int count, char** arguments) try {
    const int recipients = count > 1 ? std::atoi(arguments[1]) : 100'000;
    if (recipients <= 1'000) {
        std::fprintf(stderr, "usage: campaign_recipients <more than 1000>\n");
        return 2;
    }
    auto name = (std::filesystem::temp_directory_path() / "twiliowa_recipients_XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) return 1;
    const bool done = fill(name + "/outbox.db", recipients);
    std::filesystem::remove_all(name);
    return done ? 0 : 1;
} catch (const TwilioError& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
