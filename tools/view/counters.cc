#include "view/counters.h"

namespace belay::tool {

// Once there is a further member, the names below do not fit any more, and this does not compile.
Json json_of(const Counters& counters) {
  const auto& [live, stuck, live_bytes, queued, queued_bytes, calls_in_flight, calls_waiting,
               submitted, succeeded, failed, refused, calls, commits, records, row_bytes_written,
               log_bytes_written, log_bytes, file_bytes, wal_bytes, storage_failures, storage_ok,
               calls_success, calls_failure, calls_ongoing, calls_unknown, commit_us, sync_us,
               commit_us_max, batch_records_max, due_lag_ms, shortages] = counters;
  return {{"live", live},
          {"stuck", stuck},
          {"live_bytes", live_bytes},
          {"queued", queued},
          {"queued_bytes", queued_bytes},
          {"calls_in_flight", calls_in_flight},
          {"calls_waiting", calls_waiting},
          {"submitted", submitted},
          {"succeeded", succeeded},
          {"failed", failed},
          {"refused", refused},
          {"calls", calls},
          {"commits", commits},
          {"records", records},
          {"row_bytes_written", row_bytes_written},
          {"log_bytes_written", log_bytes_written},
          {"log_bytes", log_bytes},
          {"file_bytes", file_bytes},
          {"wal_bytes", wal_bytes},
          {"storage_failures", storage_failures},
          {"storage_ok", storage_ok},
          {"calls_success", calls_success},
          {"calls_failure", calls_failure},
          {"calls_ongoing", calls_ongoing},
          {"calls_unknown", calls_unknown},
          {"commit_us", commit_us},
          {"sync_us", sync_us},
          {"commit_us_max", commit_us_max},
          {"batch_records_max", batch_records_max},
          {"due_lag_ms", due_lag_ms},
          {"shortages", shortages}};
}

}  // namespace belay::tool
