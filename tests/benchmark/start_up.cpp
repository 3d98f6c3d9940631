// Runs two programs in turns and compares wall time, CPU time and peak memory, medians of many:
//
//     start_up <cpu> <runs> <program a> <program b> <arguments of both...>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include "measure.hpp"

namespace {

using namespace benchmark_support;

struct Runs {
    std::vector<double> wall_ms;
    std::vector<double> cpu_ms;
    std::vector<double> peak_kib;
};

void run(char* program, char** arguments, Runs& into) {
    std::vector<char*> argv = {program};
    for (; *arguments != nullptr; ++arguments) argv.push_back(*arguments);
    argv.push_back(nullptr);
    const double started = wall_seconds();
    const pid_t child = vfork();
    if (child == 0) {
        execv(program, argv.data());
        _exit(127);
    }
    int status = 0;
    rusage usage{};
    if (wait4(child, &status, 0, &usage) != child || status != 0) {
        std::fprintf(stderr, "%s failed\n", program);
        std::exit(1);
    }
    into.wall_ms.push_back((wall_seconds() - started) * 1e3);
    into.cpu_ms.push_back((seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime)) * 1e3);
    into.peak_kib.push_back(static_cast<double>(usage.ru_maxrss));
}

void row(const char* what, const std::vector<double>& library, const std::vector<double>& bare) {
    std::printf("%-18s %10.2f %10.2f %6.2f\n", what, median(library), median(bare),
                median(library) / median(bare));
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 5) return 2;
    if (!pin_to_cpu(std::atoi(argv[1]))) std::perror("not pinned");
    Runs library;
    Runs bare;
    run(argv[3], argv + 5, library);  // caches
    run(argv[4], argv + 5, bare);
    library = {};
    bare = {};
    for (int i = std::atoi(argv[2]); i > 0; --i) {
        run(argv[3], argv + 5, library);
        run(argv[4], argv + 5, bare);
    }
    std::printf("%-18s %10s %10s %6s\n", "one message", "library", "bare", "ratio");
    row("wall time, ms", library.wall_ms, bare.wall_ms);
    row("CPU time, ms", library.cpu_ms, bare.cpu_ms);
    row("peak memory, KiB", library.peak_kib, bare.peak_kib);
    return 0;
}
