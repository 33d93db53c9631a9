// Topics and their subscriptions, and the targets that are held.
#include <utility>
#include <vector>

#include "serve/protocol/admin/handlers.h"
#include "view/hide.h"

namespace belay::protocol::admin {
namespace {

// All that `read` finds, as an array of that name.
template <class Row>
void answer_all(const Turn& turn, const http::Respond& respond, const char* name,
                Result<std::vector<Row>> (Reader::*read)()) {
  answer_from_file(
      turn, respond,
      [name, read, secrets = turn.context->options.secrets](Reader& reader) -> Result<Json> {
        auto found = (reader.*read)();
        if (!found) return found.error();
        auto array = Json::array();
        for (auto& row : *found) {
          if (secrets == Secrets::hidden) tool::hide_secrets(row);
          array.push_back(tool::json_of(row));
        }
        return Json{{name, std::move(array)}};
      });
}

}  // namespace

void topics(const Turn& turn, const http::Respond& respond) {
  answer_all(turn, respond, "topics", &Reader::topics);
}

void holds(const Turn& turn, const http::Respond& respond) {
  answer_all(turn, respond, "holds", &Reader::holds);
}

}  // namespace belay::protocol::admin
