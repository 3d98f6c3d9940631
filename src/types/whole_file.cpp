#include "types/whole_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <optional>
#include <string_view>

#include "types/wipe.hpp"

namespace twiliowa::detail {

namespace {

class OpenFile {
public:
    explicit OpenFile(const std::string& path) noexcept
        : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
    OpenFile(const OpenFile&) = delete;
    OpenFile& operator=(const OpenFile&) = delete;
    ~OpenFile() {
        if (descriptor_ >= 0) ::close(descriptor_);
    }
    int descriptor() const noexcept { return descriptor_; }

    /// Until the buffer is full or the file ends: how much; nullopt where it cannot be read.
    std::optional<std::size_t> read_into(std::string& buffer) const noexcept {
        std::size_t size = 0;
        while (size < buffer.size()) {
            const auto count = ::read(descriptor_, buffer.data() + size, buffer.size() - size);
            if (count == 0) break;
            if (count > 0) {
                size += static_cast<std::size_t>(count);
            } else if (errno != EINTR) {
                return std::nullopt;
            }
        }
        return size;
    }

private:
    int descriptor_;
};

Error unreadable_file() {
    return Error::invalid_request("path", "is not a file that can be read");
}

}  // namespace

Result<std::string> read_whole_file(const std::string& path, std::size_t most_mebibytes) {
    std::ifstream file{path, std::ios::binary};
    std::string text;
    std::array<char, 16'384> part{};
    const auto most = most_mebibytes << 20U;
    while (file) {
        file.read(part.data(), part.size());
        text.append(part.data(), static_cast<std::size_t>(file.gcount()));
        if (text.size() > most) {
            return Error::invalid_request(
                "path", "is a file of more than " + std::to_string(most_mebibytes) + " MiB");
        }
    }
    if (!file.eof()) return unreadable_file();
    return text;
}

Result<Secret> read_secret_file(const std::string& path, std::size_t most_bytes) {
    const OpenFile file{path};
    // Asked of the open file, which nobody can put another in the place of.
    struct stat status = {};
    if (file.descriptor() < 0 || ::fstat(file.descriptor(), &status) != 0) {
        return unreadable_file();
    }
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        return Error::invalid_request("path", "is a file that others than its owner may use",
                                      "chmod 600 it, or 400");
    }
    WipedString buffer{std::string(most_bytes + 1, '\0')};
    const auto size = file.read_into(buffer.text);
    if (!size) return unreadable_file();
    if (*size > most_bytes) {
        return Error::invalid_request(
            "path", "is a file of more than " + std::to_string(most_bytes >> 10U) + " KiB");
    }
    return Secret{std::string_view{buffer.text}.substr(0, *size)};
}

}  // namespace twiliowa::detail
