// NDIS_STATUS, as far as the room says it. The numbers are facts of the interface: drivers compare with STATUS_ names.
#pragma once

#include <cstdint>

namespace turnpike::ndis {

enum class Status : std::uint32_t {
  kSuccess = 0,
  kPending = 0x00000103,
  kNotAccepted = 0x00010003,
  kResetStart = 0x40010004,
  kResetEnd = 0x40010005,
  kMediaConnect = 0x4001000B,
  kMediaDisconnect = 0x4001000C,
  kLinkSpeedChange = 0x40010013,
  kLinkState = 0x40010017,
  kOperStatus = 0x40010023,
  kNotResettable = 0x80010001,
  kFailure = 0xC0000001,
  kInvalidParameter = 0xC000000D,
  kResources = 0xC000009A,
  kNotSupported = 0xC00000BB,
  kClosing = 0xC0010002,
  kBadVersion = 0xC0010004,
  kBadCharacteristics = 0xC0010005,
  kAdapterNotFound = 0xC0010006,
  kOpenFailed = 0xC0010007,
  kMulticastFull = 0xC0010009,
  kMulticastNotFound = 0xC001000B,
  kRequestAborted = 0xC001000C,
  kResetInProgress = 0xC001000D,
  kInvalidPacket = 0xC001000F,
  kAdapterNotReady = 0xC0010011,
  kAdapterNotOpen = 0xC0010012,
  kInvalidLength = 0xC0010014,
  kInvalidData = 0xC0010015,
  kBufferTooShort = 0xC0010016,
  kInvalidOid = 0xC0010017,
  kAdapterRemoved = 0xC0010018,
  kUnsupportedMedia = 0xC0010019,
  kNoCable = 0xC001001F,
  kSendAborted = 0xC023000C,
  kMediaDisconnected = 0xC023001F,
  kPaused = 0xC023002A,
  kInvalidPort = 0xC023002D,
};

}  // namespace turnpike::ndis
