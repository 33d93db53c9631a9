#include "store/json.h"

#include "base/base64.h"
#include "base/utf8.h"

namespace belay::store::json {

void put_bytes(std::string& out, std::string_view bytes) {
  if (base::is_text(bytes)) return put_text(out, bytes);
  out.append("{\"base64\":\"");
  base::append_base64(out, bytes);
  out.append("\"}");
}

}  // namespace belay::store::json
