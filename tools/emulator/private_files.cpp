#include "private_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <system_error>

namespace emulator {

namespace {

[[noreturn]] void fail(const std::string& what, const std::string& file) {
    throw std::runtime_error("cannot " + what + " " + file + ": " +
                             std::generic_category().message(errno));
}

bool write_all(int descriptor, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto written = write(descriptor, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

}  // namespace

void write_private_file(const std::string& file, std::string_view bytes) {
    // A new file under a name that nobody can have foreseen, which takes the other's place then.
    std::string beside = file + ".XXXXXX";
    const int descriptor = mkostemp(beside.data(), O_CLOEXEC);
    if (descriptor < 0) fail("write", file);
    const bool written = write_all(descriptor, bytes) && fsync(descriptor) == 0;
    const bool closed = close(descriptor) == 0;
    if (written && closed && std::rename(beside.c_str(), file.c_str()) == 0) return;
    const int why = errno;
    unlink(beside.c_str());
    errno = why;
    fail("write", file);
}

std::optional<std::string> read_file(const std::string& file) {
    struct stat found {};
    if (stat(file.c_str(), &found) != 0 && errno == ENOENT) return std::nullopt;
    if (S_ISDIR(found.st_mode)) {
        errno = EISDIR;
        fail("read", file);
    }
    std::ifstream in(file, std::ios::binary);
    std::string bytes{std::istreambuf_iterator<char>(in), {}};
    if (!in.is_open() || in.bad()) fail("read", file);
    return bytes;
}

std::string make_private_directory() {
    auto name = (std::filesystem::temp_directory_path() / "twiliowa-emulator-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) fail("make", name);
    return name;
}

}  // namespace emulator
