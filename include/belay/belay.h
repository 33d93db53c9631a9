// Everything an embedder needs.
#pragma once

#include "belay/call.h"
#include "belay/engine.h"
#include "belay/error.h"
#include "belay/options.h"
#include "belay/outcome.h"
#include "belay/reader.h"
#include "belay/report.h"
#include "belay/result.h"
#include "belay/saga.h"
#include "belay/types.h"
#include "belay/version.h"
