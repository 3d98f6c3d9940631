/// A disk that takes as long for every commit, for LD_PRELOAD: fdatasync sleeps for SLOW_DISK_US
/// microseconds (5400 unless it is set) instead of asking the disk, whose own times depend on what
/// else it does.
#include <cstdlib>
#include <ctime>

extern "C" int fdatasync(int) {
    const char* const text = std::getenv("SLOW_DISK_US");
    const long microseconds = text == nullptr ? 5'400 : std::atol(text);
    timespec left{microseconds / 1'000'000, microseconds % 1'000'000 * 1'000};
    while (nanosleep(&left, &left) != 0) {
    }
    return 0;
}
