// Protocol drivers for tests of the contract: they write down what they are told, open what they are offered and close
// it when they are told to, waiting for completions as drivers do; a test replaces what it wants otherwise.
//
// Callbacks of NDIS 5 have no context before there is a binding, so drivers of NDIS 5 come in two fixed slots.
#pragma once

#include <gtest/gtest.h>
#include <ndis.h>
#include <turnpike/ndis.h>

#include <atomic>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <thread>

#include "journal.h"

namespace turnpike::ndis_faces {

using ndis::testing::Journal;
using Bytes = std::vector<unsigned char>;
using Lines = std::vector<std::string>;

std::string narrow(const NDIS_STRING* text);

struct Wide {
  explicit Wide(const std::string& given) : text(given.begin(), given.end()) {
    string.Buffer = text.data();
    string.Length = string.MaximumLength = static_cast<USHORT>(text.size() * sizeof(WCHAR));
  }
  std::wstring text;
  NDIS_STRING string{};
};

// A packet or list of the test's own, over one or several pieces of memory.
struct TestPacket {
  explicit TestPacket(std::vector<Bytes> pieces);
  PNDIS_PACKET packet() { return reinterpret_cast<PNDIS_PACKET>(head.data()); }
  alignas(16) std::array<std::byte, 96 + 32 + sizeof(NDIS_PACKET_OOB_DATA) + sizeof(NDIS_PACKET_EXTENSION)> head{};
  std::vector<Bytes> memory;
  std::vector<MDL> mdls;
  std::atomic<int> completions{0};
  NDIS_STATUS status = NDIS_STATUS_PENDING;
};

struct TestList {
  TestList(NDIS_HANDLE binding, std::vector<Bytes> frames);
  NET_BUFFER_LIST list{};
  std::vector<Bytes> memory;
  std::vector<NET_BUFFER> buffers;
  std::vector<MDL> mdls;
  std::atomic<int> completions{0};
  NDIS_STATUS status = NDIS_STATUS_PENDING;
};

Bytes frame_to(const Bytes& to, std::size_t length = 60, unsigned type = 0x88B5);
inline const Bytes kBroadcast(6, 0xff);

class TestDriver;

// A binding, as the driver keeps it.
struct Open {
  TestDriver* driver = nullptr;
  NDIS_HANDLE handle = nullptr;
  UINT medium = 99;
  NDIS_HANDLE unbind = nullptr;
  std::atomic<int> received{0};
  std::atomic<int> opened{0}, closed{0};
  NDIS_STATUS open_status = NDIS_STATUS_PENDING;
};

// What both generations share.
class TestDriver {
 public:
  virtual ~TestDriver();

  virtual NDIS_STATUS open(NDIS_HANDLE bind, PNDIS_STRING name, Open& open) = 0;
  virtual NDIS_STATUS close(Open& open) = 0;
  virtual NDIS_STATUS request(NDIS_HANDLE binding, NDIS_REQUEST_TYPE type, NDIS_OID oid, void* buffer, UINT length) = 0;
  virtual void leave() = 0;

  NDIS_STATUS set(NDIS_OID oid, ULONG value) {
    return request(opens.at(0)->handle, NdisRequestSetInformation, oid, &value, 4);
  }
  ULONG query(NDIS_OID oid) {
    ULONG value = 0;
    EXPECT_EQ(request(opens.at(0)->handle, NdisRequestQueryInformation, oid, &value, 4), NDIS_STATUS_SUCCESS)
        << std::hex << oid;
    return value;
  }
  void set_filter(ULONG filter) { EXPECT_EQ(set(OID_GEN_CURRENT_PACKET_FILTER, filter), NDIS_STATUS_SUCCESS); }

  // As a driver does it: opens, waits if that pends; closes, waits if that pends.
  NDIS_STATUS bind(NDIS_HANDLE bind, PNDIS_STRING name);
  NDIS_STATUS unbind(Open& open, NDIS_HANDLE context);

  std::function<NDIS_STATUS(NDIS_HANDLE bind, PNDIS_STRING name)> on_bind =
      [this](NDIS_HANDLE context, PNDIS_STRING name) { return bind(context, name); };
  std::function<NDIS_STATUS(Open&, NDIS_HANDLE)> on_unbind = [this](Open& open, NDIS_HANDLE context) {
    return unbind(open, context);
  };
  std::function<NDIS_STATUS(Open*, NET_PNP_EVENT&, void* shown)> on_event = [](Open*, NET_PNP_EVENT&, void*) {
    return NDIS_STATUS_SUCCESS;
  };
  std::function<void(Open&)> on_open_complete = [](Open&) {};
  std::function<void(Open&)> on_close_complete = [](Open&) {};
  std::function<void(Open&, NDIS_STATUS code, void* buffer, UINT size)> on_status = [](Open&, NDIS_STATUS, void*,
                                                                                       UINT) {};

  NDIS_HANDLE protocol = nullptr;
  Journal journal;
  std::vector<std::unique_ptr<Open>> opens;  // every one there ever was, so that late callbacks can be told
  std::atomic<int> inside{0}, most_inside{0};
  std::atomic<int> requests_completed{0};
  std::atomic<NDIS_STATUS> last_request{NDIS_STATUS_PENDING};
  UINT bytes_done = 0, bytes_needed = 0;
  std::thread::id unbind_thread;
  PNDIS_BIND_PARAMETERS parameters = nullptr;  // during a bind callback of NDIS 6
  std::string section;

  // Called by the generations' callbacks.
  NDIS_STATUS told_bind(NDIS_HANDLE bind, PNDIS_STRING name);
  NDIS_STATUS told_unbind(Open& open, NDIS_HANDLE context);
  NDIS_STATUS told_event(Open* open, NET_PNP_EVENT& event, void* shown);
};

class Driver6 : public TestDriver {
 public:
  explicit Driver6(std::string name = "six", UCHAR minor = 30);
  ~Driver6() override { leave(); }

  NDIS_STATUS join();  // registers
  NDIS_STATUS open(NDIS_HANDLE bind, PNDIS_STRING name, Open& open) override;
  NDIS_STATUS close(Open& open) override { return NdisCloseAdapterEx(open.handle); }
  NDIS_STATUS request(NDIS_HANDLE binding, NDIS_REQUEST_TYPE type, NDIS_OID oid, void* buffer, UINT length) override;
  void leave() override;

  std::function<void(Open&, PNET_BUFFER_LIST, ULONG count, ULONG flags)> on_receive =
      [](Open& open, PNET_BUFFER_LIST lists, ULONG, ULONG flags) {
        if ((flags & NDIS_RECEIVE_FLAGS_RESOURCES) == 0) {
          NdisReturnNetBufferLists(open.handle, lists, 0);
        }
      };
  std::map<PNET_BUFFER_LIST, TestList*> sent;
  std::mutex sent_mutex;
  void send(Open& open, std::vector<TestList*> lists, ULONG flags = 0, NDIS_PORT_NUMBER port = 0);

  Wide name;
  NDIS_PROTOCOL_DRIVER_CHARACTERISTICS chars{};
  std::vector<NDIS_MEDIUM> media{NdisMediumFddi, NdisMedium802_5, NdisMedium802_3};
  std::vector<NET_FRAME_TYPE> frame_types;
};

class Driver5 : public TestDriver {
 public:
  explicit Driver5(std::string name = "five", int slot = 0, bool packets = true);
  ~Driver5() override;

  NDIS_STATUS join();
  NDIS_STATUS open(NDIS_HANDLE bind, PNDIS_STRING name, Open& open) override;
  NDIS_STATUS close(Open& open) override;
  NDIS_STATUS request(NDIS_HANDLE binding, NDIS_REQUEST_TYPE type, NDIS_OID oid, void* buffer, UINT length) override;
  void leave() override;

  std::function<INT(Open&, PNDIS_PACKET)> on_packet = [](Open&, PNDIS_PACKET) { return 0; };
  std::function<NDIS_STATUS(Open&, NDIS_HANDLE context, Bytes header, Bytes lookahead, UINT size)> on_receive =
      [](Open&, NDIS_HANDLE, const Bytes&, const Bytes&, UINT) { return NDIS_STATUS_SUCCESS; };
  std::map<PNDIS_PACKET, TestPacket*> sent;
  std::mutex sent_mutex;
  NDIS_STATUS send(Open& open, TestPacket& packet);
  void send(Open& open, std::vector<TestPacket*> packets);
  std::function<void()> on_transferred = [] {};
  std::atomic<int> transfers{0};
  UINT transferred = 0;

  Wide name;
  NDIS_PROTOCOL_CHARACTERISTICS chars{};
  std::vector<NDIS_MEDIUM> media{NdisMediumFddi, NdisMedium802_5, NdisMedium802_3};
  static std::array<Driver5*, 2> slots;
};

// NDIS on adapters in memory, from the first test on; after each nothing may be left.
class NdisTest : public ::testing::Test {
 protected:
  NdisTest();
  ~NdisTest() override;

  static ULONG adapter(const char* name = "eth0") {
    ULONG index = 0;
    EXPECT_EQ(TpNdisAdapterCreate(name, &index), 0U);
    return index;
  }
  static void inject(ULONG index, const Bytes& frame) {
    EXPECT_EQ(TpNdisAdapterInject(index, frame.data(), frame.size()), 0U);
  }
  static std::vector<Bytes> take_sent(ULONG index);
  static void settle() { EXPECT_EQ(TpNdisQuiesce(), 0U); }
  static Bytes mac_of(ULONG index);
  static TP_NDIS_COUNTERS counters();
  static void pend(ULONG what) { EXPECT_EQ(TpNdisSetKnob(TP_NDIS_KNOB_PEND, what), 0U); }

  // Joined, everything bound and told.
  template <class Driver>
  static void ready(Driver& driver) {
    ASSERT_EQ(driver.join(), NDIS_STATUS_SUCCESS);
    ASSERT_TRUE(driver.journal.await("binds complete"));
    settle();
    driver.journal.take();
  }
  std::size_t violations() {
    const std::lock_guard lock(violations_mutex);
    return rules.size();
  }
  std::mutex violations_mutex;
  std::vector<std::string> rules;  // that were broken
};

}  // namespace turnpike::ndis_faces
