// What a user writes who sends for several accounts: they say who sends a job.
#include <string_view>

#include <twiliowa/outbox/accounts.hpp>
#include <twiliowa/outbox/outbox.hpp>

int main() {
    twiliowa::Accounts accounts{twiliowa::ClientOptions{}};
    accounts.add(twiliowa::Credentials::auth_token("AC0123456789abcdef0123456789abcdef", "token"),
                 "+14155238886");
    const auto account_of = [&](std::string_view sid) { return accounts.outbox_account(sid); };
    try {
        const twiliowa::Outbox without_storage{nullptr, {.client = account_of}};
    } catch (const twiliowa::InvalidRequestError&) {
        return accounts.clients().size() == 1 ? 0 : 1;
    }
    return 1;
}
