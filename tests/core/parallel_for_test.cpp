// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <faultline/core/parallel_for.hpp>
#include <faultline/error.hpp>

#include <support/catch2.hpp>

#include <tbb/global_control.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <mutex>
#include <new>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace fl = faultline;

namespace {

/// Pieces long enough that every thread that there is gets some.
void linger() { std::this_thread::sleep_for(std::chrono::milliseconds(2)); }

/// Threads that take part in a loop, and slots that its pieces saw.
struct Seen {
  std::set<std::thread::id> threads;
  std::set<std::int64_t> slots;
};
Seen seen_in(std::int64_t count, std::int64_t threads) {
  Seen seen;
  std::mutex guard;
  fl::parallel_for(count, threads, [&](std::int64_t, std::int64_t slot) {
    linger();
    const std::lock_guard lock(guard);
    seen.threads.insert(std::this_thread::get_id());
    seen.slots.insert(slot);
  });
  return seen;
}

/// Exit code of `call` in a child process; -1 when it hangs or crashes.
template <class Call>
int in_child(const Call& call) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);
    _exit(call());
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status)) return -1;
  return WEXITSTATUS(status);
}

// Before main(), so that TBB has no threads yet: the system gives memory, but no stack for a thread.
const int without_threads = in_child([] {
  fl::within_threads(1, [] { fl::parallel_for(2, 0, [](std::int64_t) {}); });  // TBB itself, and no thread of it
  long pages = 0;
  if (std::FILE* file = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(file, "%ld", &pages) != 1) pages = 0;
    std::fclose(file);
  }
  const rlim_t limit = static_cast<rlim_t>(pages * sysconf(_SC_PAGESIZE)) + (rlim_t{3} << 20);
  const rlimit bound{limit, limit};
  if (pages == 0 || setrlimit(RLIMIT_AS, &bound) != 0) return 2;
  std::vector<std::atomic<int>> done(50);
  for (int round = 0; round < 2; ++round)
    fl::parallel_for(50, 0, [&](std::int64_t i) { ++done[static_cast<std::size_t>(i)]; });
  for (const auto& times : done)
    if (times != 2) return 3;
  return 0;
});

}  // namespace

TEST_CASE("every index is done once, whatever the number of threads") {
  for (const std::int64_t threads : {0, 1, 2, 3, 7})
    for (const std::int64_t count : {1, 2, 50, 1000}) {
      CAPTURE(threads, count);
      std::vector<std::atomic<int>> done(static_cast<std::size_t>(count));
      fl::parallel_for(count, threads, [&](std::int64_t i) { ++done[static_cast<std::size_t>(i)]; });
      for (const auto& times : done) CHECK(times == 1);
    }
  fl::parallel_for(0, 4, [](std::int64_t) { FAIL("there was nothing to do"); });
  fl::parallel_for(-3, 0, [](std::int64_t) { FAIL("there was nothing to do"); });
}

TEST_CASE("blocks cover all indices, the last one shorter") {
  std::vector<std::atomic<int>> done(103);
  std::atomic<int> blocks{0}, short_blocks{0};
  fl::parallel_for_blocks(103, 10, 0, [&](std::int64_t first, std::int64_t last) {
    ++blocks;
    CHECK(first % 10 == 0);
    if (last - first < 10) ++short_blocks;
    for (std::int64_t i = first; i < last; ++i) ++done[static_cast<std::size_t>(i)];
  });
  CHECK(blocks == 11);
  CHECK(short_blocks == 1);
  for (const auto& times : done) CHECK(times == 1);
  std::atomic<std::int64_t> highest{0};
  fl::parallel_for_blocks(20, 4, 2, [&](std::int64_t, std::int64_t, std::int64_t slot) {
    std::int64_t before = highest;
    while (slot > before && !highest.compare_exchange_weak(before, slot)) {}
  });
  CHECK(highest < 2);
}

TEST_CASE("results have the same bits for any number of threads") {
  const auto sums = [](std::int64_t threads) {
    std::vector<double> result(40);
    fl::parallel_for_blocks(1000, 25, threads, [&](std::int64_t first, std::int64_t last) {
      double sum = 0.0;
      for (std::int64_t i = first; i < last; ++i) sum += std::sin(static_cast<double>(i)) / 3.0;
      result[static_cast<std::size_t>(first / 25)] = sum;
    });
    return result;
  };
  const std::vector<double> expected = sums(1);
  for (const std::int64_t threads : {0, 2, 3, 7}) CHECK(sums(threads) == expected);
}

TEST_CASE("no two calls at the same time share a slot, and slots lie below the limit") {
  for (const std::int64_t threads : {0, 1, 2, 3, 7}) {
    const std::int64_t limit = threads > 0 ? threads : fl::available_threads();
    std::vector<std::atomic<int>> inside(static_cast<std::size_t>(limit));
    std::atomic<int> shared{0}, outside{0};
    fl::parallel_for(60, threads, [&](std::int64_t, std::int64_t slot) {
      if (slot < 0 || slot >= limit) {
        ++outside;
        return;
      }
      if (++inside[static_cast<std::size_t>(slot)] != 1) ++shared;
      std::this_thread::sleep_for(std::chrono::microseconds(200));
      --inside[static_cast<std::size_t>(slot)];
    });
    CHECK(shared == 0);
    CHECK(outside == 0);
  }
}

TEST_CASE("one thread is the calling one, and several are really several") {
  const Seen one = seen_in(20, 1);
  CHECK(one.threads == std::set<std::thread::id>{std::this_thread::get_id()});
  CHECK(one.slots == std::set<std::int64_t>{0});
  std::vector<std::int64_t> order;  // one thread goes in order
  fl::parallel_for(5, 1, [&](std::int64_t i) { order.push_back(i); });
  CHECK(order == std::vector<std::int64_t>{0, 1, 2, 3, 4});
  const Seen all = seen_in(100, 0);
  CHECK((all.threads.size() > 1 || fl::available_threads() < 2));
  CHECK(all.threads.size() <= static_cast<std::size_t>(fl::available_threads()));
}

TEST_CASE("a thread that is held up holds up one piece only") {
  std::atomic<int> by_others{0};
  std::int64_t seen = 0;
  fl::parallel_for(200, 0, [&](std::int64_t i) {
    if (i > 0) ++by_others;
    for (int waited = 0; i == 0 && by_others < 199 && waited < 10'000; ++waited) linger();
    if (i == 0) seen = by_others;
  });
  CHECK(by_others == 199);
  CHECK((seen == 199 || fl::available_threads() < 2));
}

TEST_CASE("of several exceptions that of the lowest index comes back, as it was thrown") {
  for (const std::int64_t threads : {0, 1, 2, 7}) {
    CAPTURE(threads);
    std::string text;
    try {
      fl::parallel_for(50, threads, [](std::int64_t i) {
        if (i >= 20) throw fl::Error(fl::ErrorCode::empty_input, "piece " + std::to_string(i), "nothing");
      });
    } catch (const fl::Error& error) {
      text = error.what();
    }
    CHECK(text.find("piece 20") != std::string::npos);
    CHECK_THROWS_AS(fl::parallel_for(3, threads, [](std::int64_t) { throw 5; }), int);
    CHECK_THROWS_AS(fl::parallel_for(3, threads, [](std::int64_t) { throw std::bad_alloc(); }), std::bad_alloc);
  }
  std::atomic<int> done{0};  // and the next loop is whole
  fl::parallel_for(30, 0, [&](std::int64_t) { ++done; });
  CHECK(done == 30);
}

TEST_CASE("loops nest, and a piece is not entered a second time below itself") {
  thread_local int depth = 0;
  std::atomic<int> deepest{0}, done{0};
  std::mutex lock;  // what a user's model may hold while it runs loops of its own
  const auto outer = [&](std::int64_t) {
    const int now = ++depth;
    if (now > deepest) deepest = now;
    {
      const std::lock_guard held(lock);
      tbb::parallel_for(0, 20, [&](int) { std::this_thread::sleep_for(std::chrono::microseconds(100)); });
      fl::parallel_for(10, 0, [&](std::int64_t) { ++done; });
    }
    --depth;
  };
  fl::parallel_for(12, 0, outer);
  CHECK(deepest == 1);
  CHECK(done == 120);
  done = 0;
  tbb::parallel_for(0, 12, [&](int) { fl::parallel_for(10, 0, [&](std::int64_t) { ++done; }); });
  CHECK(done == 120);
}

TEST_CASE("the caller's arena and global control are respected") {
  tbb::task_arena(1).execute([&] {
    CHECK(fl::available_threads() == 1);
    CHECK(seen_in(20, 0).threads == std::set<std::thread::id>{std::this_thread::get_id()});
    CHECK(seen_in(20, 7).threads.size() == 1);
  });
  tbb::task_arena(2).execute([&] {
    CHECK(fl::available_threads() == 2);
    CHECK(seen_in(40, 0).threads.size() <= 2);
    CHECK(seen_in(40, 7).threads.size() <= 2);
  });
  const tbb::global_control one(tbb::global_control::max_allowed_parallelism, 1);
  CHECK(fl::available_threads() == 1);
  CHECK(seen_in(20, 0).threads.size() == 1);
}

TEST_CASE("a limit holds for everything inside the call") {
  CHECK(fl::within_threads(1, [] { return fl::available_threads(); }) == 1);
  const std::int64_t all = fl::available_threads();
  CHECK(fl::within_threads(0, [] { return fl::available_threads(); }) == all);
  CHECK(fl::within_threads(all + 5, [] { return fl::available_threads(); }) == all);
  CHECK(fl::within_threads(all, [] { return fl::within_threads(1, [] { return fl::available_threads(); }); }) == 1);
  const auto caller = std::this_thread::get_id();
  fl::within_threads(1, [&] {
    CHECK(std::this_thread::get_id() == caller);
    CHECK(seen_in(20, 0).threads == std::set<std::thread::id>{caller});
    tbb::parallel_for(0, 20, [&](int) {
      linger();
      CHECK(std::this_thread::get_id() == caller);
    });
  });
  CHECK_THROWS_AS(fl::within_threads(1, []() -> int { throw 7; }), int);
  // the limit of a loop holds for loops in its pieces
  fl::parallel_for(4, 1, [&](std::int64_t) { CHECK(fl::available_threads() == 1); });
  CHECK(fl::available_threads() == all);
}

TEST_CASE("where the system refuses threads, the calling one does the work") {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  CHECK(without_threads != 3);  // the sanitizers themselves need more memory than that leaves
#else
  CHECK(without_threads == 0);
#endif
}

TEST_CASE("a process forked after the first loop does all by itself") {
  fl::parallel_for(50, 0, [](std::int64_t) { linger(); });
  const int code = in_child([] {
    std::vector<int> done(50, 0);  // one thread, so no race
    const auto count = [&](std::int64_t i) { ++done[static_cast<std::size_t>(i)]; };
    fl::parallel_for(50, 0, count);
    fl::within_threads(2, [&] { fl::parallel_for(50, 4, count); });
    return done == std::vector<int>(50, 2) && fl::available_threads() == 1 ? 0 : 1;
  });
  CHECK(code == 0);
}
