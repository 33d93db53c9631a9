// The meaning of a gRPC response, which is read while it comes in. The message itself is thrown
// away; a success must have exactly one, whole and not compressed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "belay/outcome.h"
#include "hook/calls.h"

namespace belay::hook {

class GrpcResponse {
 public:
  // To be called before each response. A larger message is not read.
  void begin(std::size_t bytes_max);
  // A header or a trailer, with its name in lower case. Only the last block of them, which ends the
  // response, says the status.
  void take_field(std::string_view name, std::string_view value, bool is_last);
  // The next part of the body; false: the rest is not wanted.
  bool take_body(std::string_view part);
  // To be called at the end of the stream.
  CallEnd end() const;

 private:
  std::string flaw_of_messages() const;
  CallEnd without_status() const;
  Outcome read() const;

  std::size_t bytes_max_ = 0;
  std::string http_status_;
  bool is_grpc_ = false;  // by its content-type
  std::optional<int> status_;
  bool is_status_odd_ = false;  // no number, or given twice
  std::string message_;         // still encoded, only its start
  std::string pushback_;

  // The messages of the body: the prefix that is being read, and what is left of the message.
  std::string prefix_;
  std::uint64_t left_ = 0;
  std::uint64_t messages_ = 0;
  bool is_compressed_ = false;
  bool is_too_large_ = false;
};

}  // namespace belay::hook
