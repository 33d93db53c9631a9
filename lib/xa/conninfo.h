// The parts that the sessions of both databases share: parsing a conninfo, and calling the user's
// function.
#pragma once

#include <exception>
#include <map>
#include <string>
#include <string_view>

#include "belay/result.h"
#include "belay/types.h"
#include "xa/session.h"

namespace belay::xa {

using Parts = std::map<std::string, std::string, std::less<>>;

// The format is "key=value key='a value' …"; a quote inside quotes and a backslash are written \'
// and \\. Errors: invalid_argument.
Result<Parts> parse_parts(std::string_view text);

// Rounded up, since the clients of the databases accept only whole seconds.
inline long long whole_seconds(Millis time) { return (time.count() + 999) / 1000; }

inline Row row_from(std::string_view trans_type, std::string_view reason) {
  if (trans_type != kTransType) return Row::strange;
  if (reason == kReasonDone) return Row::done;
  return reason == kReasonBarred ? Row::barred : Row::strange;
}

// Every call of a user's function goes through this one: an exception is an unknown outcome.
template <class Function>
Outcome run_work(const Function& function) noexcept {
  try {
    return function();
  } catch (const std::exception& error) {
    return Outcome::unknown(error.what());
  } catch (...) {
    return Outcome::unknown("the work threw something that is no std::exception");
  }
}

}  // namespace belay::xa
