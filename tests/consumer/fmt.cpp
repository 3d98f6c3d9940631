// What a user writes who logs with fmt.
#include <twiliowa/adapters/fmt.hpp>
#include <twiliowa/twiliowa.hpp>

bool second_unit_works();

int main() {
    const auto text = fmt::format("{}", twiliowa::MessageStatus(twiliowa::MessageStatus::queued));
    return text == "queued" && second_unit_works() ? 0 : 1;
}
