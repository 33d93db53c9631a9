// What an operator asks of the engine.
#pragma once

#include "belay/requests.h"
#include "serve/http/message.h"
#include "serve/protocol/route.h"

namespace belay::protocol::admin {

// One function for all verbs: reads the body, lets the engine carry it out, and tells who asked.
void carry_out(const Turn& turn, const http::Respond& respond, Verb verb);

template <Verb kVerb>
void verb(const Turn& turn, const http::Respond& respond) {
  carry_out(turn, respond, kVerb);
}

}  // namespace belay::protocol::admin
