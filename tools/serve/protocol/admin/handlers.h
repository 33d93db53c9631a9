// The function of each route of the admin API. A function that needs the path's parameter has it.
#pragma once

#include "serve/protocol/admin/answer.h"
#include "serve/protocol/route.h"

namespace belay::protocol::admin {

// overview.cc
void overview(const Turn& turn, const http::Respond& respond);
void hosts(const Turn& turn, const http::Respond& respond);
void names(const Turn& turn, const http::Respond& respond);
void history(const Turn& turn, const http::Respond& respond);
// sampling.cc
void events(const Turn& turn, const http::Respond& respond);
// transactions.cc
void list(const Turn& turn, const http::Respond& respond);
void show(const Turn& turn, const http::Respond& respond);
void why(const Turn& turn, const http::Respond& respond);
// stuck.cc
void stuck(const Turn& turn, const http::Respond& respond);
void stuck_transactions(const Turn& turn, const http::Respond& respond);
// submits.cc
void submit(const Turn& turn, const http::Respond& respond);
// topics.cc
void topics(const Turn& turn, const http::Respond& respond);
void holds(const Turn& turn, const http::Respond& respond);
// openapi.cc
void openapi(const Turn& turn, const http::Respond& respond);

// Calls `read` on a thread with a reader of the state file, and answers with what it returns.
template <class Read>
void answer_from_file(const Turn& turn, const http::Respond& respond, Read read) {
  const bool posted = turn.context->reads->post([respond, read](Reader& reader) {
    const Result<Json> found = read(reader);
    respond(found ? value(*found) : error(found.error()));
  });
  if (!posted) respond(too_many_reads());
}

}  // namespace belay::protocol::admin
