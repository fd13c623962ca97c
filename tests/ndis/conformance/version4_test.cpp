// NDIS-007: a driver of NDIS 4 and what lies behind the shapes that it knows.
#define NDIS40
#include <gtest/gtest.h>
#include <ndis.h>
#include <sys/mman.h>
#include <turnpike/ndis.h>
#include <unistd.h>
#include <winerror.h>

#include <cstdint>
#include <cstring>
#include <string>

namespace turnpike::conformance {
namespace {

static_assert(sizeof(NDIS_PROTOCOL_CHARACTERISTICS) == 144);
static_assert(sizeof(NDIS_REQUEST) == 72);

// A page that nobody may touch, and in front of it room that ends where it begins.
class AtTheEdge {
 public:
  AtTheEdge() : page_(static_cast<std::size_t>(sysconf(_SC_PAGESIZE))) {
    void* pages = mmap(nullptr, 2 * page_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT_NE(pages, MAP_FAILED);
    start_ = static_cast<std::uint8_t*>(pages);
    EXPECT_EQ(mprotect(start_ + page_, page_, PROT_NONE), 0);
  }
  AtTheEdge(const AtTheEdge&) = delete;
  AtTheEdge& operator=(const AtTheEdge&) = delete;
  ~AtTheEdge() { munmap(start_, 2 * page_); }
  template <typename T>
  T* room() {
    return reinterpret_cast<T*>(start_ + page_ - sizeof(T));
  }

 private:
  std::size_t page_;
  std::uint8_t* start_ = nullptr;
};

NDIS_HANDLE g_protocol;
NDIS_HANDLE g_binding;
NDIS_STATUS g_opened;

VOID bind(PNDIS_STATUS status, NDIS_HANDLE, PNDIS_STRING device, PVOID, PVOID) {
  NDIS_STATUS error = 0;
  UINT index = 0;
  NDIS_MEDIUM medium = NdisMedium802_3;
  NdisOpenAdapter(&g_opened, &error, &g_binding, &index, &medium, 1, g_protocol, &g_binding, device, 0, nullptr);
  *status = g_opened;
}
VOID unbind(PNDIS_STATUS status, NDIS_HANDLE, NDIS_HANDLE) { NdisCloseAdapter(status, g_binding); }

// clauses: NDIS-007
TEST(NdisVersion4, NothingBehindItsShapesIsTouched_choice) {
  TP_NDIS_OPTIONS options{};
  options.size = sizeof(options);
  options.adapters = TP_NDIS_ADAPTERS_MEMORY;
  ASSERT_EQ(TpNdisStart(&options), NO_ERROR);
  std::uint32_t adapter = 0;
  ASSERT_EQ(TpNdisAdapterCreate("a", &adapter), NO_ERROR);

  AtTheEdge characteristics_page;
  auto* all = characteristics_page.room<NDIS_PROTOCOL_CHARACTERISTICS>();
  WCHAR name[] = L"Four";
  all->MajorNdisVersion = 4;
  all->OpenAdapterCompleteHandler = [](NDIS_HANDLE, NDIS_STATUS, NDIS_STATUS) { ADD_FAILURE(); };
  all->CloseAdapterCompleteHandler = [](NDIS_HANDLE, NDIS_STATUS) { ADD_FAILURE(); };
  all->SendCompleteHandler = [](NDIS_HANDLE, PNDIS_PACKET, NDIS_STATUS) { ADD_FAILURE(); };
  all->TransferDataCompleteHandler = [](NDIS_HANDLE, PNDIS_PACKET, NDIS_STATUS, UINT) { ADD_FAILURE(); };
  all->ResetCompleteHandler = [](NDIS_HANDLE, NDIS_STATUS) { ADD_FAILURE(); };
  all->RequestCompleteHandler = [](NDIS_HANDLE, PNDIS_REQUEST, NDIS_STATUS) { ADD_FAILURE(); };
  all->ReceiveHandler = [](NDIS_HANDLE, NDIS_HANDLE, PVOID, UINT, PVOID, UINT, UINT) { return NDIS_STATUS_SUCCESS; };
  all->ReceiveCompleteHandler = [](NDIS_HANDLE) {};
  all->StatusHandler = [](NDIS_HANDLE, NDIS_STATUS, PVOID, UINT) {};
  all->StatusCompleteHandler = [](NDIS_HANDLE) {};
  all->Name.Buffer = name;
  all->Name.Length = all->Name.MaximumLength = static_cast<USHORT>(sizeof(name) - sizeof(WCHAR));
  all->BindAdapterHandler = bind;
  all->UnbindAdapterHandler = unbind;
  NDIS_STATUS status = NDIS_STATUS_FAILURE;
  NdisRegisterProtocol(&status, &g_protocol, all, sizeof(*all));
  ASSERT_EQ(status, NDIS_STATUS_SUCCESS);
  ASSERT_EQ(TpNdisQuiesce(), NO_ERROR);
  ASSERT_EQ(g_opened, NDIS_STATUS_SUCCESS);

  AtTheEdge request_page;
  auto* request = request_page.room<NDIS_REQUEST>();
  ULONG frame_size = 0;
  request->RequestType = NdisRequestQueryInformation;
  request->DATA.QUERY_INFORMATION.Oid = OID_GEN_MAXIMUM_FRAME_SIZE;
  request->DATA.QUERY_INFORMATION.InformationBuffer = &frame_size;
  request->DATA.QUERY_INFORMATION.InformationBufferLength = sizeof(frame_size);
  NdisRequest(&status, g_binding, request);
  EXPECT_EQ(status, NDIS_STATUS_SUCCESS);
  EXPECT_EQ(frame_size, 1500U);

  NdisDeregisterProtocol(&status, g_protocol);
  EXPECT_EQ(status, NDIS_STATUS_SUCCESS);
  EXPECT_EQ(TpNdisAdapterDelete(adapter), NO_ERROR);
  EXPECT_EQ(TpNdisStop(), NO_ERROR);
}

}  // namespace
}  // namespace turnpike::conformance
