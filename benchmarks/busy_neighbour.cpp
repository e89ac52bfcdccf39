// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Claim: a characterisation on two cores, one of which another process keeps busy, takes at most 1.5 times as long and
// 1.1 times as much processor time as alone. Medians over rounds of the ratio within a round; this process keeps to two
// cores, whatever the machine has. Usage: busy_neighbour [--quick] [generator] [classifier]. Prints one JSON object.

#include <program.hpp>
#include <support/figures.hpp>
#include <support/measured_backends.hpp>
#include <support/rounds.hpp>

#include <faultline/core.hpp>
#include <faultline/data/classifier_file.hpp>

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

namespace fl = faultline;

namespace {

/// Keeps this process and its children to two of the cores it may use; false where there are fewer.
bool keep_to_two_cores() {
  cpu_set_t allowed, two;
  CPU_ZERO(&allowed);
  CPU_ZERO(&two);
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return false;
  int kept = 0;
  for (int core = 0; core < CPU_SETSIZE && kept < 2; ++core) {
    if (!CPU_ISSET(core, &allowed)) continue;
    CPU_SET(core, &two);
    ++kept;
  }
  return kept == 2 && sched_setaffinity(0, sizeof two, &two) == 0;
}

/// A process that does nothing but want a core, for as long as this object lives.
class BusyNeighbour {
 public:
  BusyNeighbour() : child_(fork()) {
    if (child_ != 0) return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (std::atomic<std::uint64_t> spins{0};;) spins.fetch_add(1, std::memory_order_relaxed);
  }
  ~BusyNeighbour() {
    if (child_ <= 0) return;
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
  }
  BusyNeighbour(const BusyNeighbour&) = delete;
  BusyNeighbour& operator=(const BusyNeighbour&) = delete;
  [[nodiscard]] bool alive() const { return child_ > 0; }

 private:
  pid_t child_;
};

}  // namespace

static int benchmark(int argc, char** argv) {
  const bool quick = bench::quick(argc, argv), two = keep_to_two_cores();  // before any thread starts
  std::vector<std::string> files;
  for (int i = 1; i < argc; ++i)
    if (argv[i][0] != '-') files.emplace_back(argv[i]);
  const auto file = [&](std::size_t i, const char* asset) {
    return i < files.size() ? files[i] : fl::find_asset(asset).string();
  };
  const auto generator = bench::FastGenerator::load(file(0, "digits.safetensors"));
  auto classifier = fl::load_classifier(file(1, "clean.safetensors"));
  std::vector<double> processor[2];
  const auto run = [&](std::size_t which) {
    const double before = bench::processor_seconds(RUSAGE_SELF);
    const double wall = bench::seconds(
        [&] { (void)fl::characterize(generator, classifier, {.samples = quick ? 300 : 1'000, .seed = 7}); });
    processor[which].push_back(bench::processor_seconds(RUSAGE_SELF) - before);
    return wall;
  };
  const auto beside = [&] {
    const BusyNeighbour neighbour;
    return neighbour.alive() ? run(1) : std::nan("");
  };
  const bench::Rounds rounds = bench::take_turns({[&] { return run(0); }, beside}, quick ? 1 : 5);
  const bench::Rounds work{{processor[0], processor[1]}};
  const std::string note = two ? "two cores" : "this machine has fewer than two cores";
  bench::print("busy_neighbour",
               {{"neighbour.wall", two ? rounds.ratio(1, 0) : std::nan(""), 1.5, true, "x", note},
                {"neighbour.processor", two ? work.ratio(1, 0) : std::nan(""), 1.1, true, "x", note}},
               "\"seconds_alone\": " + bench::number(rounds.middle(0)) + ", \"seconds_beside\": " +
                   bench::number(rounds.middle(1)) + ", \"processor_seconds_alone\": " + bench::number(work.middle(0)) +
                   ", \"processor_seconds_beside\": " + bench::number(work.middle(1)));
  return 0;
}

int main(int argc, char** argv) {
  return program::run("busy_neighbour", [&] { return benchmark(argc, argv); });
}
