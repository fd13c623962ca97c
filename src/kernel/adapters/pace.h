// Pace: how a thread that empties a ring waits when the ring is empty.
//
// To be woken for each frame is right while frames are rare: nobody hears of one sooner. Under load it costs more than
// the frames: a thread that is quick enough finds one frame at each wake-up, and pays (as does the sender, in whose
// context the kernel wakes it) two switches for it; a veth pair carried half as much. So under load the thread naps: it
// leaves the ring alone for kNap, and takes what has gathered then. Frames wait that long at most, and only then.
//
// There is nothing to set, and no clock is asked. Every so often a nap is tried. One that brought a batch is followed
// by another; after one that did not, the thread waits for a frame again, and for twice as many before each further
// trial: a peer that waits for our answer before it sends again is hardly ever to wait for a nap of ours, and on an
// idle link there is none to wait for.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace turnpike::kernel {

class Pace {
 public:
  static constexpr std::chrono::microseconds kNap{100};

  // The ring is empty after so many frames since the last wait. Whether to nap now, or else to wait for a frame.
  bool naps(std::size_t frames) {
    const bool batch = frames >= kBatch;
    if (batch || naps_) {
      patience_ = batch ? 1 : std::min(2 * patience_, kMostPatience);
      naps_ = batch;
      waits_ = 0;
    } else if (++waits_ >= patience_) {
      naps_ = true;
    }
    return naps_;
  }

 private:
  static constexpr std::size_t kBatch = 8;
  static constexpr std::size_t kMostPatience = 1024;

  bool naps_ = false;
  std::size_t waits_ = 0;  // since the last nap
  std::size_t patience_ = 8;
};

}  // namespace turnpike::kernel
