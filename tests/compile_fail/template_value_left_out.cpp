// expect: deleted function|deleted constructor
#include <twiliowa/messages_client.hpp>

#include "../programs/typed_templates.hpp"

void tell(const twiliowa::MessagesClient& client) {
#ifdef TWILIOWA_COMPILE_FAIL
    // [wrong]
    client.send_template(shop::templates::order_on_its_way("+447700900123", {.name = "Lee"}));
    // [wrong]
#else
    // [right]
    client.send_template(
        shop::templates::order_on_its_way("+447700900123", {.name = "Lee", .order = "42"}));
    // [right]
#endif
}
