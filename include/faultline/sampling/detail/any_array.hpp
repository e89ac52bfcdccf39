// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// An array whose type is forgotten: what AnyGenerator hands from call to call.

#include <faultline/error.hpp>
#include <faultline/sampling/detail/first_rows.hpp>

#include <cstdint>
#include <memory>
#include <utility>

namespace faultline {
inline namespace v1 {
namespace detail {

/// An array of some generator's, where that keeps it. Copies share it; it never changes.
class AnyArray {
 public:
  AnyArray() = default;

  template <class T>
  [[nodiscard]] static AnyArray of(T array) {
    AnyArray result;
    result.held_ = std::make_shared<const Value<T>>(std::move(array));
    return result;
  }

  /// The array itself. Throws shape_mismatch when there is none, or one of another type.
  template <class T>
  [[nodiscard]] const T& as(const char* where) const {
    if (!held_ || held_->type() != &Value<T>::mark)
      throw Error(ErrorCode::shape_mismatch, where,
                  held_ ? "got an array that another kind of generator made; arrays are passed on to the generator "
                          "that made them, or go through the host"
                        : "got an array without a value");
    return static_cast<const Value<T>&>(*held_).array;
  }

  /// The first `count` rows; only where the array can be cut.
  [[nodiscard]] AnyArray first_rows(std::int64_t count) const { return held_->first_rows(count); }

 private:
  struct Held {
    virtual ~Held() = default;
    virtual const void* type() const noexcept = 0;
    virtual AnyArray first_rows(std::int64_t count) const = 0;
  };
  template <class T>
  struct Value final : Held {
    explicit Value(T value) : array(std::move(value)) {}
    const void* type() const noexcept override { return &mark; }
    AnyArray first_rows(std::int64_t count) const override {
      if constexpr (CutsRows<T>) return of<T>(detail::first_rows(array, count));
      else throw Error(ErrorCode::invalid_argument, "AnyGenerator", "the generator's arrays cannot be cut");
    }
    static inline char mark = 0;  // its address stands for the type, where there is no run-time type information
    T array;
  };
  std::shared_ptr<const Held> held_;
};

}  // namespace detail
}  // namespace v1
}  // namespace faultline
