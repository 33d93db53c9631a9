// Who asks for a change, as the timeline and the audit log keep it.
#pragma once

#include <string>

#include "belay/result.h"
#include "serve/protocol/route.h"

namespace belay::protocol::admin {

struct Asker {
  std::string claim;  // of the header X-Belay-Asked-By: whom the client says that it asks for
  std::string text;   // "ops via 10.0.0.7, says \"alice on gateway-1\""
};

// Errors: invalid_argument, if the header is too long or is no text.
Result<Asker> asker_of(const Turn& turn);

// Tells the audit log of a change that was accepted.
class Audit {
 public:
  Audit(const Turn& turn, Asker asker, Subject subject);
  void tell() const;

 private:
  ContextPtr context_;
  std::string caller_;
  std::string peer_;
  std::string_view call_;
  Asker asker_;
  Subject subject_;
};

}  // namespace belay::protocol::admin
