// What a user writes who logs with fmt.
#include <twiliowa/adapters/fmt.hpp>
#include <twiliowa/types/message.hpp>

int main() {
    const auto text = fmt::format("{}", twiliowa::MessageStatus(twiliowa::MessageStatus::queued));
    return text == "queued" ? 0 : 1;
}
