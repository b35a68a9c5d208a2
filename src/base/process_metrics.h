// The process_* families, read from /proc when somebody scrapes. Part of Metrics.
#pragma once

namespace cubelet {

class Metrics;

// Sets every process_* family of `metrics`; what /proc does not tell keeps its last value.
void UpdateProcessMetrics(Metrics& metrics);

// Unix time at which this process started, 0 when /proc does not tell.
double ProcessStartTime();

}  // namespace cubelet
