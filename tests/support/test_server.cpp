#include "support/test_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>
#include <map>
#include <stdexcept>
#include <string_view>

namespace twiliowa::test {

namespace {

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

bool wants_early_answer(const ReceivedRequest& request) {
    return request.path.find("early") != std::string::npos;
}

int choose_h2(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
              unsigned in_size, void*) {
    static const unsigned char h2[] = {2, 'h', '2'};
    unsigned char* chosen = nullptr;
    if (SSL_select_next_proto(&chosen, out_size, h2, sizeof h2, in, in_size) !=
        OPENSSL_NPN_NEGOTIATED) {
        return SSL_TLSEXT_ERR_NOACK;
    }
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

SSL_CTX* make_tls_context(const Certificates& certificates, bool http2, bool only_tls_1_1) {
    SSL_CTX* const context = SSL_CTX_new(TLS_server_method());
    BIO* bio = BIO_new_mem_buf(certificates.server_pem.data(),
                               static_cast<int>(certificates.server_pem.size()));
    X509* const certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
    BIO_free(bio);
    bio =
        BIO_new_mem_buf(certificates.key_pem.data(), static_cast<int>(certificates.key_pem.size()));
    EVP_PKEY* const key = PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr);
    BIO_free(bio);
    if (SSL_CTX_use_certificate(context, certificate) != 1 ||
        SSL_CTX_use_PrivateKey(context, key) != 1) {
        throw std::runtime_error("the test server got no certificate");
    }
    X509_free(certificate);
    EVP_PKEY_free(key);
    if (http2) SSL_CTX_set_alpn_select_cb(context, choose_h2, nullptr);
    if (only_tls_1_1) {
        SSL_CTX_set_min_proto_version(context, TLS1_1_VERSION);
        SSL_CTX_set_max_proto_version(context, TLS1_1_VERSION);
        SSL_CTX_set_security_level(context, 0);
    }
    return context;
}

}  // namespace

std::string ReceivedRequest::header(const std::string& lower_case_name) const {
    for (const auto& [name, value] : headers) {
        if (name == lower_case_name) return value;
    }
    return {};
}

/// A socket, with TLS on it or not. Reading and writing end in false when it is over.
struct TestServer::Connection {
    int fd = -1;
    SSL* ssl = nullptr;

    explicit Connection(int socket) : fd(socket) {}
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection() {
        if (ssl != nullptr) SSL_free(ssl);
        close(fd);
    }

    bool shake_hands(SSL_CTX* context) {
        ssl = SSL_new(context);
        SSL_set_fd(ssl, fd);
        return SSL_accept(ssl) == 1;
    }
    long read(char* data, std::size_t size) const {
        if (ssl != nullptr) return SSL_read(ssl, data, static_cast<int>(size));
        return recv(fd, data, size, 0);
    }
    bool write(std::string_view data) const {
        while (!data.empty()) {
            const long written = ssl != nullptr
                                     ? SSL_write(ssl, data.data(), static_cast<int>(data.size()))
                                     : send(fd, data.data(), data.size(), MSG_NOSIGNAL);
            if (written <= 0) return false;
            data.remove_prefix(static_cast<std::size_t>(written));
        }
        return true;
    }
    /// Sends a TCP reset now. (A linger of 0 would act at the close only, and after a shutdown,
    /// which has sent an orderly end, no more.)
    void reset() const {
        sockaddr nowhere{};
        nowhere.sa_family = AF_UNSPEC;
        connect(fd, &nowhere, sizeof nowhere);
    }
    void end() const { shutdown(fd, SHUT_RDWR); }
};

TestServer::TestServer(Options options, Handler handler)
    : options_(std::move(options)), handler_(std::move(handler)) {
    if (options_.protocol != Protocol::http1) {
        tls_ = make_tls_context(options_.certificates, options_.protocol == Protocol::tls_http2,
                                options_.only_tls_1_1);
    }
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        listen(listener_, 256) != 0 ||
        getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
        throw std::runtime_error("the test server cannot listen");
    }
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_loop(); });
}

TestServer::~TestServer() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        for (const auto& connection : open_) connection->end();
    }
    changed_.notify_all();
    shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    for (auto& thread : threads_) thread.join();
    close(listener_);
    open_.clear();
    if (tls_ != nullptr) SSL_CTX_free(static_cast<SSL_CTX*>(tls_));
}

std::string TestServer::url(const std::string& host) const {
    return (options_.protocol == Protocol::http1 ? "http://" : "https://") + host + ':' +
           std::to_string(port_);
}

std::vector<ReceivedRequest> TestServer::requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
}

int TestServer::connections() const {
    const std::lock_guard lock(mutex_);
    return connections_;
}

int TestServer::open_connections() const {
    const std::lock_guard lock(mutex_);
    return connections_ - closed_;
}

bool TestServer::wait_for_requests(std::size_t count) const {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds{10},
                             [&] { return requests_.size() >= count; });
}

bool TestServer::wait_for_connections(int count) const {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds{10}, [&] { return connections_ >= count; });
}

bool TestServer::pause(int milliseconds) const {
    std::unique_lock lock(mutex_);
    return !changed_.wait_for(lock, std::chrono::milliseconds{milliseconds},
                              [&] { return stopping_; });
}

void TestServer::accept_loop() {
    for (;;) {
        const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        const std::lock_guard lock(mutex_);
        if (stopping_ || fd < 0) {
            if (fd >= 0) close(fd);
            return;
        }
        const int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        auto& connection = *open_.emplace_back(std::make_unique<Connection>(fd));
        const int number = connections_++;
        threads_.emplace_back([this, &connection, number] {
            serve(connection, number);
            connection.end();
            const std::lock_guard closing(mutex_);
            ++closed_;
        });
        changed_.notify_all();
    }
}

Reply TestServer::receive(ReceivedRequest request) {
    const auto reply = handler_(request);
    const std::lock_guard lock(mutex_);
    requests_.push_back(std::move(request));
    changed_.notify_all();
    return reply;
}

/// HTTP/2 on one connection, driven by libnghttp2.
class TestServer::Http2 {
public:
    Http2(TestServer& server, Connection& connection, int number)
        : server_(server), connection_(connection), number_(number) {
        nghttp2_session_callbacks* callbacks = nullptr;
        nghttp2_session_callbacks_new(&callbacks);
        nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
        nghttp2_session_server_new(&session_, callbacks, this);
        nghttp2_session_callbacks_del(callbacks);
        nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, nullptr, 0);
    }
    ~Http2() { nghttp2_session_del(session_); }
    Http2(const Http2&) = delete;
    Http2& operator=(const Http2&) = delete;

    void run() {
        std::array<char, 16'384> buffer{};
        while (flush() && !over_) {
            const long got = connection_.read(buffer.data(), buffer.size());
            if (got <= 0) return;
            const auto taken = nghttp2_session_mem_recv(
                session_, reinterpret_cast<const std::uint8_t*>(buffer.data()),
                static_cast<std::size_t>(got));
            if (taken < 0) return;
        }
        flush();
    }

private:
    struct Stream {
        ReceivedRequest request = {};
        std::string answer = {};
        std::size_t sent = 0;
        bool answered = false;
    };

    bool flush() {
        for (;;) {
            const std::uint8_t* data = nullptr;
            const auto size = nghttp2_session_mem_send(session_, &data);
            if (size <= 0) return size == 0;
            if (!connection_.write(
                    {reinterpret_cast<const char*>(data), static_cast<std::size_t>(size)})) {
                return false;
            }
        }
    }

    static Http2& self(void* user) { return *static_cast<Http2*>(user); }

    static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                         std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                         std::uint8_t, void* user) {
        const std::string key(reinterpret_cast<const char*>(name), name_size);
        std::string text(reinterpret_cast<const char*>(value), value_size);
        auto& request = self(user).streams_[frame->hd.stream_id].request;
        if (key == ":method") {
            request.method = std::move(text);
        } else if (key == ":path") {
            request.path = std::move(text);
        } else {
            request.headers.emplace_back(key, std::move(text));
        }
        return 0;
    }

    static int on_data(nghttp2_session*, std::uint8_t, std::int32_t stream_id,
                       const std::uint8_t* data, std::size_t size, void* user) {
        self(user).streams_[stream_id].request.body.append(reinterpret_cast<const char*>(data),
                                                           size);
        return 0;
    }

    static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
        auto& me = self(user);
        const auto id = frame->hd.stream_id;
        const bool ended = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
        const bool headers = frame->hd.type == NGHTTP2_HEADERS;
        if (!headers && frame->hd.type != NGHTTP2_DATA) return 0;
        auto& stream = me.streams_[id];
        const bool early = headers && wants_early_answer(stream.request);
        if ((ended || early) && !stream.answered) me.answer(id, stream);
        return 0;
    }

    void answer(std::int32_t id, Stream& stream) {
        stream.answered = true;
        stream.request.connection = number_;
        stream.request.on_connection = requests_++;
        const auto reply = server_.receive(stream.request);
        using Kind = Reply::Kind;
        switch (reply.kind) {
            case Kind::refuse_stream:
                return reset(id, NGHTTP2_REFUSED_STREAM);
            case Kind::reset_stream:
                return reset(id, NGHTTP2_INTERNAL_ERROR);
            case Kind::early_reset:
                respond(id, stream, reply);
                return reset(id, NGHTTP2_INTERNAL_ERROR);
            case Kind::goaway:
            case Kind::goaway_after:
                nghttp2_session_terminate_session2(session_, reply.kind == Kind::goaway ? 0 : id,
                                                   NGHTTP2_NO_ERROR);
                over_ = true;
                return;
            case Kind::close:
                over_ = true;
                return;
            case Kind::reset:
                connection_.reset();
                over_ = true;
                return;
            case Kind::hold:
                return;
            default:
                respond(id, stream, reply);
        }
    }

    void reset(std::int32_t id, std::uint32_t code) {
        nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, code);
    }

    void respond(std::int32_t id, Stream& stream, const Reply& reply) {
        std::vector<std::pair<std::string, std::string>> headers{
            {":status", std::to_string(reply.status)}};
        headers.insert(headers.end(), reply.headers.begin(), reply.headers.end());
        std::vector<nghttp2_nv> fields;
        for (auto& [name, value] : headers) {
            name = lower(name);
            fields.push_back({reinterpret_cast<std::uint8_t*>(name.data()),
                              reinterpret_cast<std::uint8_t*>(value.data()), name.size(),
                              value.size(), NGHTTP2_NV_FLAG_NONE});
        }
        stream.answer =
            reply.kind == Reply::Kind::huge ? std::string(reply.bytes, 'x') : reply.body;
        nghttp2_data_provider provider{};
        provider.source.ptr = &stream;
        provider.read_callback = [](nghttp2_session*, std::int32_t, std::uint8_t* buffer,
                                    std::size_t size, std::uint32_t* flags,
                                    nghttp2_data_source* source, void*) -> ssize_t {
            auto& from = *static_cast<Stream*>(source->ptr);
            const auto count = std::min(size, from.answer.size() - from.sent);
            std::copy_n(from.answer.data() + from.sent, count, buffer);
            from.sent += count;
            if (from.sent == from.answer.size()) *flags |= NGHTTP2_DATA_FLAG_EOF;
            return static_cast<ssize_t>(count);
        };
        nghttp2_submit_response(session_, id, fields.data(), fields.size(), &provider);
        if (reply.kind == Reply::Kind::early_reset) flush();
    }

    TestServer& server_;
    Connection& connection_;
    int number_;
    int requests_ = 0;
    bool over_ = false;
    nghttp2_session* session_ = nullptr;
    std::map<std::int32_t, Stream> streams_;
};

void TestServer::serve(Connection& connection, int number) {
    // Only here: if the library let a SIGPIPE through, the tests should see it.
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
    if (tls_ != nullptr) {
        if (options_.never_shake_hands) {
            while (pause(1000)) {
            }
            return;
        }
        if (!connection.shake_hands(static_cast<SSL_CTX*>(tls_))) return;
        const unsigned char* protocol = nullptr;
        unsigned size = 0;
        SSL_get0_alpn_selected(connection.ssl, &protocol, &size);
        if (size == 2) {
            return Http2(*this, connection, number).run();
        }
    }
    serve_http1(connection, number);
}

void TestServer::serve_http1(Connection& connection, int number) {
    std::string data;
    std::array<char, 65'536> buffer{};
    const auto read_until = [&](auto enough) {
        while (!enough()) {
            const long got = connection.read(buffer.data(), buffer.size());
            if (got <= 0) return false;
            data.append(buffer.data(), static_cast<std::size_t>(got));
        }
        return true;
    };
    for (int count = 0;; ++count) {
        std::size_t end = 0;
        if (!read_until([&] { return (end = data.find("\r\n\r\n")) != std::string::npos; })) return;
        ReceivedRequest request;
        request.connection = number;
        request.on_connection = count;
        std::size_t begin = 0;
        for (bool first = true; begin < end; first = false) {
            const auto line_end = data.find("\r\n", begin);
            const auto line = data.substr(begin, line_end - begin);
            begin = line_end + 2;
            if (first) {
                const auto space = line.find(' ');
                request.method = line.substr(0, space);
                request.path = line.substr(space + 1, line.rfind(' ') - space - 1);
                continue;
            }
            const auto colon = line.find(':');
            const auto value = line.find_first_not_of(' ', colon + 1);
            request.headers.emplace_back(lower(line.substr(0, colon)),
                                         value == std::string::npos ? "" : line.substr(value));
        }
        const auto length_text = request.header("content-length");
        const std::size_t length = length_text.empty() ? 0 : std::stoul(length_text);
        data.erase(0, end + 4);
        const bool early = wants_early_answer(request);
        if (!early && !read_until([&] { return data.size() >= length; })) return;
        request.body = data.substr(0, length);
        data.erase(0, request.body.size());
        const auto target = request.path;
        const auto reply = receive(std::move(request));
        if (reply.kind == Reply::Kind::tunnel) return relay(connection, target);
        if (!answer_http1(connection, reply)) return;
    }
}

void TestServer::relay(Connection& connection, const std::string& host_and_port) {
    Connection target(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const auto port = std::stoul(host_and_port.substr(host_and_port.rfind(':') + 1));
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    if (connect(target.fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return;
    if (!connection.write("HTTP/1.1 200 Connection established\r\n\r\n")) return;
    std::array<char, 16'384> buffer{};
    const auto pass = [&buffer](const Connection& from, const Connection& to) {
        const long got = from.read(buffer.data(), buffer.size());
        return got > 0 && to.write({buffer.data(), static_cast<std::size_t>(got)});
    };
    std::array<pollfd, 2> ends{{{connection.fd, POLLIN, 0}, {target.fd, POLLIN, 0}}};
    for (;;) {
        const bool pending = connection.ssl != nullptr && SSL_pending(connection.ssl) > 0;
        if (!pending && poll(ends.data(), ends.size(), -1) < 0) return;
        if ((pending || ends[0].revents != 0) && !pass(connection, target)) return;
        if (!pending && ends[1].revents != 0 && !pass(target, connection)) return;
    }
}

/// False when the connection is to be closed.
bool TestServer::answer_http1(Connection& connection, const Reply& reply) {
    using Kind = Reply::Kind;
    if (reply.kind == Kind::close) return false;
    if (reply.kind == Kind::reset) {
        connection.reset();
        return false;
    }
    if (reply.kind == Kind::hold) {
        while (pause(1000)) {
        }
        return false;
    }
    if (reply.kind == Kind::garbage) {
        connection.write("\x01\x02 this is not HTTP\r\n\r\n");
        return false;
    }
    if (reply.kind == Kind::interim) {
        connection.write("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n");
    }
    auto length = reply.body.size();
    if (reply.kind == Kind::truncate || reply.kind == Kind::stall) length += 100;
    if (reply.kind == Kind::huge) length = reply.bytes;
    std::string text = "HTTP/1.1 " + std::to_string(reply.status) + " Reason\r\n";
    if (reply.kind != Kind::endless) text += "Content-Length: " + std::to_string(length) + "\r\n";
    for (const auto& [name, value] : reply.headers) text += name + ": " + value + "\r\n";
    text += "\r\n";
    if (reply.kind == Kind::huge) {
        if (!connection.write(text)) return false;
        const std::string block(65'536, 'x');
        for (std::size_t sent = 0; sent < length; sent += block.size()) {
            if (!connection.write(block)) return false;
        }
        return true;
    }
    if (reply.kind == Kind::endless) {
        const std::string block(65'536, 'x');
        for (bool written = connection.write(text); written;) written = connection.write(block);
        return false;
    }
    text += reply.body;
    if (reply.kind == Kind::stall) {
        connection.write(text);
        while (pause(1000)) {
        }
        return false;
    }
    if (reply.kind == Kind::drip) {
        for (std::size_t i = 0; i + 1 < text.size(); ++i) {
            if (!connection.write({&text[i], 1}) || !pause(20)) return false;
        }
        while (pause(1000)) {
        }
        return false;
    }
    return connection.write(text) && reply.kind != Kind::truncate;
}

}  // namespace twiliowa::test
