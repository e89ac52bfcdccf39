// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The folder of images that need scores: rounds of them, each an NPY file and the digests of its images, which appears
// last and says that the round is whole.

#include <faultline/core/atomic_file.hpp>
#include <faultline/core/sha256.hpp>
#include <faultline/error.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace detail {

/// Axes of one image, as they are stored.
using StoredShape = std::vector<std::int64_t>;

/// "[2016, 1, 28, 28]" or "1x28x28".
[[nodiscard]] inline std::string joined(const StoredShape& axes, std::string_view between) {
  std::string text;
  for (const std::int64_t axis : axes) text += (text.empty() ? "" : std::string(between)) + std::to_string(axis);
  return text;
}

/// The head of an NPY file (version 1.0) of float32, whose length is a multiple of 64.
[[nodiscard]] inline std::string npy_head(std::int64_t count, const StoredShape& shape) {
  std::string text = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + std::to_string(count) + ", " +
                     joined(shape, ", ") + "), }";
  text.append(63 - (10 + text.size()) % 64, ' ');
  text += '\n';
  std::string head("\x93NUMPY\x01\x00", 8);
  head += static_cast<char>(text.size() & 0xff);
  head += static_cast<char>(text.size() >> 8);
  return head + text;
}

class ImageRounds {
 public:
  struct Round {
    std::string name;    ///< without extension
    std::string sha256;  ///< of the NPY file
    StoredShape shape;
    std::vector<std::string> digests;
  };

  ImageRounds(std::filesystem::path folder, std::int64_t file_bytes)
      : folder_(std::move(folder)), file_bytes_(file_bytes) {}

  /// Rounds that are whole. **Throws** malformed_header for a file of digests that cannot be read, cannot_open.
  [[nodiscard]] const std::vector<Round>& rounds() {
    if (!read_) read();
    return rounds_;
  }
  /// The round that an image is in, by position; -1 for none.
  [[nodiscard]] std::int64_t round_of(const std::string& digest) {
    if (!read_) read();
    const auto at = round_of_.find(digest);
    return at == round_of_.end() ? -1 : at->second;
  }

  /// Notes an image that needs scores; writes a round when so many are waiting that it is a file's worth.
  void need(const std::string& digest, std::span<const float> image, const StoredShape& shape) {
    if (!needed_.insert(digest).second || round_of(digest) >= 0) return;
    if (!waiting_.empty() &&
        (shape != shape_ || static_cast<std::int64_t>((values_.size() + image.size()) * sizeof(float)) > file_bytes_))
      write();
    shape_ = shape;
    waiting_.push_back(digest);
    values_.insert(values_.end(), image.begin(), image.end());
  }
  [[nodiscard]] std::int64_t needed() const noexcept { return static_cast<std::int64_t>(needed_.size()); }

  void forget() noexcept {
    needed_.clear();
    waiting_.clear();
    values_ = {};
  }

  /// Writes what is waiting; says where all images are that are needed: "round-001.npy (all of its 2016 images, ...)".
  [[nodiscard]] std::string settle() {
    if (!waiting_.empty()) write();
    std::map<std::int64_t, std::int64_t> counts;  // of needed images in a round
    for (const std::string& digest : needed_) ++counts[round_of_.at(digest)];
    std::string text;
    std::size_t shown = 0;
    for (const auto& [position, count] : counts) {
      if (++shown > 4) return text + " and " + std::to_string(counts.size() - 4) + " files more";
      const Round& round = rounds_[static_cast<std::size_t>(position)];
      const auto all = static_cast<std::int64_t>(round.digests.size());
      text += (text.empty() ? "" : ", ") + round.name + ".npy (" + (count == all ? "all" : std::to_string(count)) +
              " of its " + std::to_string(all) + " images)";
    }
    return text;
  }

 private:
  static constexpr std::string_view format = "faultline.images/1", prefix = "round-";
  static constexpr std::int64_t most_bytes = std::int64_t{16} << 30;

  [[nodiscard]] std::filesystem::path path(const std::string& name, const char* extension) const {
    return folder_ / (name + extension);
  }

  void read() {
    std::error_code failed;
    if (std::filesystem::is_directory(folder_, failed)) {
      std::map<std::int64_t, std::string> names;
      for (const auto& entry : std::filesystem::directory_iterator(folder_, failed)) {
        const std::string name = entry.path().stem().string();
        if (entry.path().extension() != ".csv" || !name.starts_with(prefix)) continue;
        std::int64_t number = 0;
        const char* const end = name.data() + name.size();
        const auto [at, problem] = std::from_chars(name.data() + prefix.size(), end, number);
        if (problem == std::errc() && at == end && number > 0) names.emplace(number, name);
      }
      if (failed)
        throw Error(ErrorCode::cannot_open, "ScoreFileClassifier", "'" + folder_.string() + "': " + failed.message());
      for (const auto& [number, name] : names) {
        last_ = number;
        add(read_round(name));
      }
    }
    read_ = true;
  }

  /// A round counts where its images are there as they were written, by their size.
  void add(Round round) {
    std::error_code failed;
    const auto size = std::filesystem::file_size(path(round.name, ".npy"), failed);
    std::size_t bytes = round.digests.size() * sizeof(float);
    for (const std::int64_t axis : round.shape) bytes *= static_cast<std::size_t>(axis);
    bytes += npy_head(static_cast<std::int64_t>(round.digests.size()), round.shape).size();
    if (failed || size != bytes) return;
    for (const std::string& digest : round.digests) round_of_[digest] = static_cast<std::int64_t>(rounds_.size());
    rounds_.push_back(std::move(round));
  }

  static bool is_digest(std::string_view text) {
    return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  }

  /// "# faultline.images/1 file=round-001.npy sha256=... shape=1x28x28", "digest", and a digest in each line.
  [[nodiscard]] Round read_round(const std::string& name) const {
    const std::filesystem::path file = path(name, ".csv");
    const std::vector<std::byte> bytes = core::read_file(file, most_bytes);
    std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    std::int64_t line = 0;
    const auto refuse = [&](const std::string& what) {
      return Error(ErrorCode::malformed_header, "ScoreFileClassifier, '" + file.string() + "'",
                   "line " + std::to_string(line) + ": " + what + "; remove the round's files, and run again");
    };
    const auto next = [&] {
      ++line;
      const std::size_t end = text.find('\n');
      if (end == std::string_view::npos) throw refuse("is cut off");
      const std::string_view own = text.substr(0, end);
      text.remove_prefix(end + 1);
      return own;
    };
    Round round{.name = name, .sha256 = {}, .shape = {}, .digests = {}};
    const std::string_view head = next();
    const std::string begin = "# " + std::string(format) + " file=" + name + ".npy sha256=";
    const std::size_t shape = head.find(" shape=");
    if (!head.starts_with(begin) || shape == std::string_view::npos || shape < begin.size())
      throw refuse("expected what this library writes there, \"" + begin + "...\"");
    round.sha256 = head.substr(begin.size(), shape - begin.size());
    if (!is_digest(round.sha256)) throw refuse("expected 64 hexadecimal digits in small letters after sha256=");
    for (std::string_view axes = head.substr(shape + 7); !axes.empty();) {
      std::int64_t axis = 0;
      const auto [at, problem] = std::from_chars(axes.data(), axes.data() + axes.size(), axis);
      if (problem != std::errc() || axis < 1 || axis > (1 << 26)) throw refuse("expected three sizes after shape=");
      axes.remove_prefix(static_cast<std::size_t>(at - axes.data()));
      if (axes.starts_with('x')) axes.remove_prefix(1);
      round.shape.push_back(axis);
    }
    if (round.shape.size() != 3) throw refuse("expected three sizes after shape=");
    if (next() != "digest") throw refuse("expected the name of the column, 'digest'");
    while (!text.empty()) {
      const std::string_view digest = next();
      if (!is_digest(digest)) throw refuse("expected 64 hexadecimal digits in small letters");
      round.digests.emplace_back(digest);
    }
    return round;
  }

  /// Writes what is waiting as a round. The images come first, so that digests are there for whole files alone.
  void write() {
    std::error_code failed;
    std::filesystem::create_directories(folder_, failed);
    if (failed)
      throw Error(ErrorCode::cannot_write, "ScoreFileClassifier",
                  "cannot make the folder '" + folder_.string() + "': " + failed.message());
    std::string number = std::to_string(last_ + 1);
    number.insert(0, std::max<std::size_t>(3, number.size()) - number.size(), '0');
    Round round{.name = std::string(prefix) + number, .sha256 = {}, .shape = shape_, .digests = waiting_};
    const std::string head = npy_head(static_cast<std::int64_t>(waiting_.size()), shape_);
    core::Sha256 hash;
    core::AtomicFile file(path(round.name, ".npy"));
    for (const std::span<const std::byte> part :
         {std::as_bytes(std::span<const char>(head)), std::as_bytes(std::span<const float>(values_))}) {
      file.write(part);
      hash.update(part);
    }
    file.commit();
    round.sha256 = hash.hex();
    std::string text = "# " + std::string(format) + " file=" + round.name + ".npy sha256=" + round.sha256 +
                       " shape=" + joined(shape_, "x") + "\ndigest\n";
    for (const std::string& digest : waiting_) text += digest + "\n";
    core::write_file_atomically(path(round.name, ".csv"), text);
    ++last_;
    for (const std::string& digest : waiting_) round_of_[digest] = static_cast<std::int64_t>(rounds_.size());
    rounds_.push_back(std::move(round));
    waiting_.clear();
    values_.clear();
  }

  std::filesystem::path folder_;
  std::int64_t file_bytes_;
  bool read_ = false;
  std::int64_t last_ = 0;  ///< number of the last round
  std::vector<Round> rounds_;
  std::unordered_map<std::string, std::int64_t> round_of_;
  std::unordered_set<std::string> needed_;
  std::vector<std::string> waiting_;  ///< in the order in which they came
  std::vector<float> values_;
  StoredShape shape_;
};

}  // namespace detail
}  // namespace v1
}  // namespace faultline
