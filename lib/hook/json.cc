#include "hook/json.h"

#include <algorithm>
#include <utility>

#include "base/ascii.h"
#include "base/json_text.h"

namespace belay::hook {
namespace {

constexpr int kDepthMax = 256;  // values are read by recursion

class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  std::optional<std::vector<JsonMember>> whole_object() {
    std::vector<JsonMember> members;
    skip_space();
    if (!object(0, &members)) return std::nullopt;
    skip_space();
    if (!rest_.empty()) return std::nullopt;
    return members;
  }

 private:
  void skip_space() {
    const auto at = rest_.find_first_not_of(" \t\r\n");
    rest_.remove_prefix(at == std::string_view::npos ? rest_.size() : at);
  }
  bool takes(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool takes(std::string_view word) {
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  // The text that was read since `before`, of which `rest_` is a suffix.
  std::string_view since(std::string_view before) const {
    return before.substr(0, before.size() - rest_.size());
  }

  bool value(int depth) {
    if (rest_.empty() || depth > kDepthMax) return false;
    switch (rest_.front()) {
      case '{': return object(depth, nullptr);
      case '[': return array(depth);
      case '"': return string();
      case 't': return takes("true");
      case 'f': return takes("false");
      case 'n': return takes("null");
      default: return number();
    }
  }

  bool object(int depth, std::vector<JsonMember>* members) {
    if (!takes('{')) return false;
    skip_space();
    if (takes('}')) return true;
    do {
      skip_space();
      const auto name_at = rest_;
      if (!string()) return false;
      const auto name = since(name_at);
      skip_space();
      if (!takes(':')) return false;
      skip_space();
      const auto value_at = rest_;
      if (!value(depth + 1)) return false;
      if (members != nullptr)
        members->push_back({name.substr(1, name.size() - 2), since(value_at)});
      skip_space();
    } while (takes(','));
    return takes('}');
  }

  bool array(int depth) {
    if (!takes('[')) return false;
    skip_space();
    if (takes(']')) return true;
    do {
      skip_space();
      if (!value(depth + 1)) return false;
      skip_space();
    } while (takes(','));
    return takes(']');
  }

  bool string() {
    if (!takes('"')) return false;
    while (!rest_.empty()) {
      const auto c = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      if (c == '"') return true;
      if (c < ' ' || (c == '\\' && !escape())) return false;
    }
    return false;
  }

  bool escape() {
    if (rest_.empty()) return false;
    const auto c = rest_.front();
    rest_.remove_prefix(1);
    if (c != 'u') return std::string_view("\"\\/bfnrt").find(c) != std::string_view::npos;
    for (int i = 0; i < 4; ++i, rest_.remove_prefix(1)) {
      if (rest_.empty() || !base::is_hex_digit(rest_.front())) return false;
    }
    return true;
  }

  bool digits() {
    const auto before = rest_.size();
    while (!rest_.empty() && base::is_digit(rest_.front())) rest_.remove_prefix(1);
    return rest_.size() != before;
  }

  bool number() {
    takes('-');
    if (!takes('0') && !digits()) return false;
    if (takes('.') && !digits()) return false;
    if (takes('e') || takes('E')) {
      if (!takes('+')) takes('-');
      if (!digits()) return false;
    }
    return true;
  }

  std::string_view rest_;
};

// The position of the last quote of a string whose first quote was removed.
std::size_t end_of_string(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size() && text[at] != '"') at += text[at] == '\\' ? 2 : 1;
  return std::min(at, text.size());
}

}  // namespace

std::string json_text(std::string_view written) {
  std::string out;
  while (!written.empty()) {
    const auto plain = std::min(written.find('\\'), written.size());
    out += written.substr(0, plain);
    written.remove_prefix(plain);
    if (written.empty()) break;
    written.remove_prefix(1);
    base::take_json_escape(written, &out);
  }
  return out;
}

bool json_has_string_with(std::string_view json, std::string_view text) {
  while (true) {
    const auto quote = json.find('"');
    if (quote == std::string_view::npos) return false;
    json.remove_prefix(quote + 1);
    const auto end = end_of_string(json);
    const auto written = json.substr(0, end);
    json.remove_prefix(std::min(end + 1, json.size()));
    const auto next = json.find_first_not_of(" \t\r\n");
    const bool is_name = next != std::string_view::npos && json[next] == ':';
    if (!is_name && json_text(written).find(text) != std::string::npos) return true;
  }
}

std::optional<std::vector<JsonMember>> json_members(std::string_view text) {
  return Scanner(text).whole_object();
}

}  // namespace belay::hook
