#include "serve/http/server_head.h"

#include <microhttpd.h>

#include <algorithm>
#include <cstring>
#include <string_view>

#include "base/ascii.h"
#include "serve/http/server_request.h"

namespace belay::http {
namespace {

constexpr std::size_t kLineEnd = 2;  // CR LF

bool is_token(std::string_view text) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [=](char c) {
    return base::is_letter(c) || base::is_digit(c) || kMarks.find(c) != kMarks.npos;
  });
}

bool is_field_text(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return base::is_control(c) && c != '\t'; });
}

// The library decodes nothing in the header fields and leaves them where they were received, with
// NULs between them. So each part must begin where the one before ends; otherwise the library has
// skipped or moved something: a NUL, a bare CR or LF, a folded line.
class Head {
 public:
  explicit Head(const RequestLine& line)
      : end_(line.version + std::strlen(line.version)),
        is_old_(std::string_view(line.version) == MHD_HTTP_VERSION_1_0),
        is_strict_(line.target.is_clean && is_token(line.method) &&
                   line.path == line.method + std::strlen(line.method) + 1 &&
                   line.version == line.path + line.target.bytes + 1) {}

  void add(std::string_view name, std::string_view value) {
    const bool is_next = name.data() == end_ + kLineEnd;
    const bool follows_name = value.data() > name.data() + name.size();
    is_strict_ = is_strict_ && is_next && follows_name && is_token(name) && is_field_text(value);
    end_ = value.data() + value.size();
    if (base::equal_ignoring_case(name, MHD_HTTP_HEADER_HOST)) ++hosts_;
    if (base::equal_ignoring_case(name, MHD_HTTP_HEADER_CONTENT_LENGTH)) ++lengths_;
    if (base::equal_ignoring_case(name, MHD_HTTP_HEADER_TRANSFER_ENCODING)) {
      ++codings_;
      // With a blank behind it the library takes it for another coding.
      is_strict_ = is_strict_ && base::equal_ignoring_case(value, "chunked");
    }
  }

  bool is_strict(const char* head_end) const {
    const bool has_host = hosts_ == 1 || (is_old_ && hosts_ == 0);
    const bool has_one_length = lengths_ + codings_ <= 1 && !(is_old_ && codings_ > 0);
    return is_strict_ && has_host && has_one_length && head_end == end_ + kLineEnd + kLineEnd;
  }

 private:
  const char* end_;  // of what was read so far, without its line end
  const bool is_old_;
  bool is_strict_;
  unsigned hosts_ = 0;
  unsigned lengths_ = 0;
  unsigned codings_ = 0;
};

MHD_Result add_to_head(void* head, enum MHD_ValueKind /*kind*/, const char* name,
                       std::size_t name_size, const char* value, std::size_t value_size) noexcept {
  static_cast<Head*>(head)->add({name, name_size}, {value, value_size});
  return MHD_YES;
}

}  // namespace

Target read_target(const char* text) {
  const std::string_view target(text);
  const bool is_clean = std::none_of(target.begin(), target.end(),
                                     [](char c) { return base::is_control(c) || c == ' '; });
  return {target.size(), is_clean};
}

bool has_strict_head(MHD_Connection* connection, const RequestLine& line) {
  Head head(line);
  MHD_get_connection_values_n(connection, MHD_HEADER_KIND, add_to_head, &head);
  return head.is_strict(line.method + header_bytes_of(connection));
}

}  // namespace belay::http
