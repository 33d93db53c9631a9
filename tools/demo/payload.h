// What a step of a transfer carries, {"account":42,"cents":1250}, and how a bank reads it.
#pragma once

#include <cstdint>
#include <string>

#include "belay/call.h"
#include "demo/bank.h"

namespace belay::demo {

std::string payload_of(std::int64_t account, std::int64_t cents);
// A payload that is none has account 0, which no bank knows.
Leg leg_of(const Call& call, Side side, Mode mode = Mode::saga);

}  // namespace belay::demo
