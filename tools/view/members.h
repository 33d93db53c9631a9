// Reads the members of a JSON object strictly.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "view/rows_from.h"
#include "view/text.h"

namespace belay::tool {

// The members of an object. One that is missing or of another type makes the whole unreadable.
class Members {
 public:
  explicit Members(const Json& object) : object_(object), is_ok_(object.is_object()) {}

  bool is_ok() const { return is_ok_; }
  const Json* find(const char* name) {
    if (!object_.is_object()) return nullptr;
    const auto found = object_.find(name);
    return found == object_.end() ? nullptr : &*found;
  }
  // Null is an empty text.
  std::string text(const char* name) {
    const auto* found = find(name);
    if (found != nullptr && found->is_string()) return found->get<std::string>();
    is_ok_ = is_ok_ && found != nullptr && found->is_null();
    return {};
  }
  bool flag(const char* name) {
    const auto* found = find(name);
    is_ok_ = is_ok_ && found != nullptr && found->is_boolean();
    return is_ok_ && found->get<bool>();
  }
  template <class Number>
  Number number(const char* name) {
    const auto* found = find(name);
    is_ok_ = is_ok_ && found != nullptr && fits<Number>(*found);
    return is_ok_ ? found->get<Number>() : Number{};
  }
  TimePoint time(const char* name) { return TimePoint(Millis(number<std::int64_t>(name))); }
  std::optional<TimePoint> time_or_none(const char* name) {
    const auto* found = find(name);
    if (found != nullptr && found->is_null()) return std::nullopt;
    return time(name);
  }
  // The text of an object, which may be missing.
  std::string object_or_none(const char* name) {
    const auto* found = find(name);
    if (found == nullptr || found->is_null()) return {};
    is_ok_ = is_ok_ && found->is_object();
    return is_ok_ ? json_text(*found) : std::string();
  }
  // A name that `from` knows.
  template <class From>
  auto word(const char* name, From from) {
    using Word = typename decltype(from(""))::value_type;
    const auto known = from(text(name));
    is_ok_ = is_ok_ && known.has_value();
    return known.value_or(Word{});
  }
  template <class Row>
  std::vector<Row> rows(const char* name, std::optional<Row> (*row_from)(const Json&)) {
    auto rows = rows_from(object_, name, row_from);
    is_ok_ = is_ok_ && rows.has_value();
    return rows ? std::move(*rows) : std::vector<Row>();
  }
  template <class Row>
  std::optional<Row> whole(Row row) const {
    return is_ok_ ? std::optional(std::move(row)) : std::nullopt;
  }

 private:
  template <class Number>
  static bool fits(const Json& value) {
    if (value.is_number_unsigned())
      return value.get<std::uint64_t>() <=
             static_cast<std::uint64_t>(std::numeric_limits<Number>::max());
    return std::numeric_limits<Number>::is_signed && value.is_number_integer();
  }

  const Json& object_;
  bool is_ok_;
};

}  // namespace belay::tool
