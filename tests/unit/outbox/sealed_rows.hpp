/// @file
/// Rows that another program has sealed by itself, as docs/outbox.md says.
#pragma once

#include <doctest/doctest.h>

#include <string>

#include <twiliowa/outbox/outbox.hpp>
#include <twiliowa/state/sealer.hpp>

#include "unit/outbox/outbox_service.hpp"

namespace outbox_test {

/// @param insert  puts in a row, by another program's hand: what stands in its key, and its
/// payload.
template <class Insert>
void take_sealed_rows(Service& service, const twiliowa::Sealer& sealer, const Insert& insert) {
    using twiliowa::JobState;
    const auto sealed_for = [&](const std::string& row, const std::string& text) {
        return R"({"sealed": ")" + sealer.seal(text, "outbox row 0:" + row).value() + "\"}";
    };
    const auto row = sealer.blind_index("0:invoice-17", "outbox key").value();
    const std::string job = R"({"key": "invoice-17", "order_key": "Lee", "message":
        {"to": "+447700900123", "body": "Sealed elsewhere"}})";
    insert(row, sealed_for(row, job));
    CHECK(service.outbox->find("", "invoice-17")->message->body == "Sealed elsewhere");
    insert("row-2", sealed_for(row, job));
    insert("row-3", sealed_for("row-3", job));
    insert("row-4",
           sealed_for("row-4", R"({"message": {"to": "+447700900123", "body": "Nameless"}})"));
    insert("row-5", R"({"to": "+447700900123", "body": "In the clear"})");
    service.outbox->run_until_idle();

    const auto taken = service.outbox->find("", "invoice-17");
    CHECK(taken->state == JobState::accepted);
    CHECK(taken->order_key == "Lee");
    auto same = *taken->message;
    CHECK(service.outbox->enqueue(same, {.key = "invoice-17"}).existed);
    const auto refused_for = [&](const char* key) {
        const auto refused = service.outbox->find("", key);
        CHECK(refused->state == JobState::dead);
        CHECK_FALSE(refused->message);
        return refused->problem;
    };
    CHECK(refused_for("row-2").find("sealed") != std::string::npos);
    CHECK(refused_for("row-3") == "its key was used before");
    CHECK(refused_for("row-4").find("key: is not in what is sealed") != std::string::npos);
    const bool takes_clear = !service.options.refuse_unsealed_rows;
    if (takes_clear) {
        CHECK(service.outbox->find("", "row-5")->state == JobState::accepted);
    } else {
        CHECK(refused_for("row-5").find("payload: is in the clear") != std::string::npos);
    }
    CHECK(service.at_twilio() == (takes_clear ? 2 : 1));
}

}  // namespace outbox_test
