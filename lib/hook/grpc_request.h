// A call as a gRPC request: the metadata that dtm sends, and the payload as the only message.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "belay/call.h"
#include "belay/result.h"
#include "h2/session.h"
#include "hook/url.h"

namespace belay::hook {

// Errors: invalid_argument, for headers that cannot be metadata, or too many of them.
Result<> check_metadata(std::span<const Header> headers);
// Errors: invalid_argument, for a gid or a workflow's name that cannot be metadata. `what` names
// the text.
Result<> check_metadata_text(std::string_view what, std::string_view text);

class GrpcRequest {
 public:
  // Fills `head`, whose texts live until the next `make`. `span`: the call's span in the trace, not
  // 0. Errors: invalid_argument.
  Result<> make(const Call& call, const Target& target, std::uint64_t span,
                std::vector<h2::Field>& head);
  // Appends the message with its prefix, as it is sent.
  static void append_message(std::string& out, const Call& call);

 private:
  void make_room(const Call& call, const Target& target);
  std::string_view kept(std::string_view text);
  std::string_view kept_lower(std::string_view text);
  void add_ids(const Call& call, std::vector<h2::Field>& head);
  void add_headers(const Call& call, std::uint64_t span, std::vector<h2::Field>& head);

  std::string text_;  // never grows while a head is made: the head has views into it
};

}  // namespace belay::hook
