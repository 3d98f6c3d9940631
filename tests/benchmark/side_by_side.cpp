// The library beside bare libcurl posting the same bytes and decoding nothing, against the same
// server, in turns, in one process. See run.sh.
//
//     side_by_side <cpu> <ca file> <HTTP/1.1 base URL> <HTTP/2 base URL> [messages] [rounds]
//     side_by_side slow <cpu> <ca file> <base URL of a server that takes 50 ms> [seconds]
//
// CPU is user and kernel time of this process, of all its threads, per message. The server and this
// process share one CPU (run.sh pins both), so messages a second include the server's work.
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "bare_curl.hpp"
#include "measure.hpp"
#include "sample.hpp"

namespace {

namespace wa = twiliowa;
using namespace benchmark_support;

struct Setting {
    std::string ca_file;
    std::string base_url;
    bool http2;
    int in_flight;  // 1 is the blocking call
};

/// Sends that many messages.
class Contender {
public:
    virtual ~Contender() = default;
    virtual void send(int messages) = 0;
};

std::shared_ptr<wa::CurlTransport> library_transport(const Setting& setting) {
    wa::CurlOptions options;
    options.ca_file = setting.ca_file;
    options.http2 = setting.http2;
    return std::make_shared<wa::CurlTransport>(options);
}

void require(const wa::Result<wa::Message>& sent) {
    if (sent) return;
    std::fprintf(stderr, "the library: %s\n", sent.error().what().c_str());
    std::exit(1);
}

class LibraryBlocking final : public Contender {
public:
    explicit LibraryBlocking(const Setting& setting)
        : client_(sample_client(library_transport(setting), setting.base_url)) {}
    void send(int messages) override {
        for (int i = 0; i < messages; ++i) require(client_.try_send_template(sample_message()));
    }

private:
    wa::MessagesClient client_;
};

/// Keeps `in_flight` messages under way; each completion starts the next.
class LibraryAsync final : public Contender {
public:
    explicit LibraryAsync(const Setting& setting)
        : client_(sample_client(library_transport(setting), setting.base_url)),
          in_flight_(setting.in_flight) {}

    void send(int messages) override {
        std::unique_lock lock(mutex_);
        to_start_ = messages;
        to_finish_ = messages;
        const int first = std::min(in_flight_, messages);
        to_start_ -= first;
        lock.unlock();
        for (int i = 0; i < first; ++i) start();
        lock.lock();
        finished_.wait(lock, [this] { return to_finish_ == 0; });
    }

private:
    void start() {
        client_.async_send_template(sample_message(), [this](wa::Result<wa::Message> sent) {
            require(sent);
            bool another = false;
            {
                const std::lock_guard lock(mutex_);
                another = to_start_ > 0;
                if (another) --to_start_;
                if (--to_finish_ == 0) finished_.notify_one();
            }
            if (another) start();
        });
    }

    std::mutex mutex_;
    std::condition_variable finished_;
    int to_start_ = 0;
    int to_finish_ = 0;
    wa::MessagesClient client_;
    int in_flight_;
};

class BareBlocking final : public Contender {
public:
    explicit BareBlocking(const Setting& setting)
        : request_(sample_request(setting.base_url), setting.ca_file, setting.http2) {}
    void send(int messages) override {
        for (int i = 0; i < messages; ++i) request_.perform();
    }

private:
    BareRequest request_;
};

class BareMulti final : public Contender {
public:
    explicit BareMulti(const Setting& setting) : multi_(curl_multi_init()) {
        const auto request = sample_request(setting.base_url);
        for (int i = 0; i < setting.in_flight; ++i) {
            requests_.push_back(
                std::make_unique<BareRequest>(request, setting.ca_file, setting.http2));
        }
    }
    ~BareMulti() override {
        requests_.clear();
        curl_multi_cleanup(multi_);
    }

    void send(int messages) override {
        int to_start = messages;
        int to_finish = messages;
        for (const auto& request : requests_) {
            if (to_start == 0) break;
            curl_multi_add_handle(multi_, request->handle());
            --to_start;
        }
        while (to_finish > 0) {
            int running = 0;
            curl_multi_perform(multi_, &running);
            int left = 0;
            while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
                CURL* const handle = message->easy_handle;
                require_curl(message->data.result, "bare libcurl");
                curl_multi_remove_handle(multi_, handle);
                --to_finish;
                if (to_start == 0) continue;
                --to_start;
                curl_multi_add_handle(multi_, handle);
            }
            if (to_finish > 0) curl_multi_poll(multi_, nullptr, 0, 1000, nullptr);
        }
    }

private:
    CURLM* multi_;
    std::vector<std::unique_ptr<BareRequest>> requests_;
};

struct Measured {
    std::vector<double> cpu_us;
    std::vector<double> per_second;
};

void measure(Contender& contender, int messages, Measured& into) {
    const double cpu = cpu_seconds();
    const double wall = wall_seconds();
    contender.send(messages);
    into.per_second.push_back(messages / (wall_seconds() - wall));
    into.cpu_us.push_back((cpu_seconds() - cpu) / messages * 1e6);
}

void compare(const Setting& setting, int messages, int rounds) {
    std::unique_ptr<Contender> library;
    std::unique_ptr<Contender> bare;
    if (setting.in_flight == 1) {
        library = std::make_unique<LibraryBlocking>(setting);
        bare = std::make_unique<BareBlocking>(setting);
    } else {
        library = std::make_unique<LibraryAsync>(setting);
        bare = std::make_unique<BareMulti>(setting);
    }
    library->send(std::max(200, messages / 10));  // connections, caches
    bare->send(std::max(200, messages / 10));
    Measured ours;
    Measured theirs;
    for (int round = 0; round < rounds; ++round) {
        measure(round % 2 == 0 ? *library : *bare, messages, round % 2 == 0 ? ours : theirs);
        measure(round % 2 == 0 ? *bare : *library, messages, round % 2 == 0 ? theirs : ours);
    }
    const double our_cpu = median(ours.cpu_us);
    const double bare_cpu = median(theirs.cpu_us);
    std::printf("%-9s %9d %12.0f %12.0f %9.1f %9.1f %+9.1f %6.2f\n",
                setting.http2 ? "HTTP/2" : "HTTP/1.1", setting.in_flight, median(ours.per_second),
                median(theirs.per_second), our_cpu, bare_cpu, our_cpu - bare_cpu,
                our_cpu / bare_cpu);
    std::fflush(stdout);
}

int side_by_side(int argc, char** argv) {
    const int messages = argc > 5 ? std::atoi(argv[5]) : 4000;
    const int rounds = argc > 6 ? std::atoi(argv[6]) : 7;
    std::printf("%d messages a round, %d rounds each, in turns; medians\n", messages, rounds);
    std::printf("%-9s %9s %12s %12s %9s %9s %9s %6s\n", "protocol", "in flight", "library 1/s",
                "bare 1/s", "lib us", "bare us", "diff us", "ratio");
    for (const bool http2 : {false, true}) {
        for (const int in_flight : {1, 50}) {
            compare({argv[2], http2 ? argv[4] : argv[3], http2, in_flight}, messages, rounds);
        }
    }
    return 0;
}

int slow_server(int argc, char** argv) {
    const int seconds = argc > 5 ? std::atoi(argv[5]) : 5;
    const int in_flight = 200;
    const double possible = in_flight / 0.050;
    const Setting setting{argv[3], argv[4], false, in_flight};
    std::printf("%d in flight, a server that takes 50 ms: %.0f a second are possible\n", in_flight,
                possible);
    LibraryAsync library(setting);
    BareMulti bare(setting);
    for (auto* contender : {static_cast<Contender*>(&library), static_cast<Contender*>(&bare)}) {
        contender->send(2 * in_flight);
        Measured measured;
        for (int round = 0; round < 3; ++round) {
            measure(*contender, static_cast<int>(possible) * seconds / 3, measured);
        }
        std::printf("%-8s %6.0f a second, %.3f of the possible, %.1f us of CPU each\n",
                    contender == &library ? "library" : "bare", median(measured.per_second),
                    median(measured.per_second) / possible, median(measured.cpu_us));
    }
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    const bool slow = argc > 1 && std::strcmp(argv[1], "slow") == 0;
    if (argc < 5) {
        std::fprintf(stderr, "usage: see run.sh\n");
        return 2;
    }
    if (!pin_to_cpu(std::atoi(argv[slow ? 2 : 1]))) std::perror("not pinned");
    curl_global_init(CURL_GLOBAL_DEFAULT);
    return slow ? slow_server(argc, argv) : side_by_side(argc, argv);
}
