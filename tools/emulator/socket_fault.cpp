#include "socket_fault.hpp"

#include <thread>

#include "connection.hpp"

namespace emulator {

using twiliowa::testing::FakeTwilio;
using twiliowa::testing::Fault;

namespace {

void send_half(httplib::Response& response, const std::string& body, const std::string& type) {
    response.set_content_provider(body.size() + 1, type,
                                  [body](std::size_t offset, std::size_t, httplib::DataSink& sink) {
                                      if (offset == 0) sink.write(body.data(), body.size() / 2);
                                      return false;
                                  });
}

}  // namespace

bool do_fault(Fault fault, httplib::Response& response, const std::string& body,
              const std::string& type) {
    auto* const connection = Connection::current();
    if (connection == nullptr) return false;
    switch (fault) {
        case Fault::close_before:
        case Fault::close_after:
            connection->end(false);
            return true;
        case Fault::reset:
            connection->end(true);
            return true;
        case Fault::black_hole:
            connection->wait_for_the_end();
            connection->end(false);
            return true;
        case Fault::slow:
            std::this_thread::sleep_for(FakeTwilio::slow_answer);
            return false;
        case Fault::truncated:
            send_half(response, body, type);
            return true;
        default:
            return false;
    }
}

}  // namespace emulator
