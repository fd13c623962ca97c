// Configuration handles of ndis.h, over ndis/services/configuration.h. A handle is a section and what was read through
// it, which lives until the handle is closed.
#include <ndis.h>
#include <winerror.h>

#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <vector>

#include "capi/ndis_handles.h"
#include "ndis/services/configuration.h"
#include "turnpike/ndis_configuration.h"

namespace {

using turnpike::ndis::Configuration;
using turnpike::ndis::Parameter;
using turnpike::ndis::report_misuse;

struct Opened {
  std::wstring section;
  std::mutex mutex;
  std::vector<std::unique_ptr<Parameter>> read;
  std::vector<std::unique_ptr<std::wstring>> names;
};

}  // namespace

template <>
struct turnpike::HandleKind<Opened> {
  static constexpr HandleTag tag{0x71};
  static constexpr const char* name = "configuration";
};

namespace {

using Handles = turnpike::capi::ServiceHandles<(1U << 16), Opened>;
constexpr const char* kNoConfiguration = "the handle names no configuration";

turnpike::Pin<Opened> pin(NDIS_HANDLE handle, const char* function) {
  return Handles::pin<Opened>(handle, function, kNoConfiguration);
}

NDIS_STATUS open(std::wstring section, PNDIS_HANDLE out) {
  auto opened = std::make_unique<Opened>();
  opened->section = std::move(section);
  NDIS_HANDLE const handle = Handles::add(std::move(opened));
  if (handle == nullptr) {
    return NDIS_STATUS_RESOURCES;
  }
  *out = handle;
  return NDIS_STATUS_SUCCESS;
}

std::wstring_view view(const NDIS_STRING* text) {
  return text != nullptr && text->Buffer != nullptr ? std::wstring_view(text->Buffer, text->Length / sizeof(WCHAR))
                                                    : std::wstring_view();
}

// Runs what answers a status, where it can be stored; a call that may wait, at a level where it must not, is told.
template <class Work>
NDIS_STATUS guarded(const char* function, Work&& work) noexcept {
  if (KeGetCurrentIrql() > PASSIVE_LEVEL) {
    report_misuse(function, "this call is for PASSIVE_LEVEL", std::uint64_t{KeGetCurrentIrql()});
  }
  try {
    return work();
  } catch (const std::bad_alloc&) {
    return NDIS_STATUS_RESOURCES;
  }
}

void store(PNDIS_STATUS place, NDIS_STATUS status) {
  if (place != nullptr) {
    *place = status;
  }
}

// Names that every section has.
std::optional<std::wstring> predefined(std::wstring_view keyword) {
  UNICODE_STRING given{static_cast<USHORT>(keyword.size() * sizeof(WCHAR)), 0, const_cast<PWSTR>(keyword.data())};
  NDIS_STRING version = NDIS_STRING_CONST("NdisVersion");
  NDIS_STRING processor = NDIS_STRING_CONST("ProcessorType");
  if (keyword.size() < 20 && NdisEqualString(&given, &version, TRUE) != FALSE) {
    return std::to_wstring(NdisGetVersion());
  }
  if (keyword.size() < 20 && NdisEqualString(&given, &processor, TRUE) != FALSE) {
    return L"0";
  }
  return std::nullopt;
}

NDIS_STATUS read(Opened& opened, std::wstring_view keyword, NDIS_PARAMETER_TYPE type,
                 PNDIS_CONFIGURATION_PARAMETER* value) {
  auto text = Configuration::instance().get(opened.section, keyword);
  if (!text) {
    text = predefined(keyword);
  }
  auto parameter = text ? turnpike::ndis::read_as(*text, type) : nullptr;
  if (parameter == nullptr) {
    return NDIS_STATUS_FAILURE;
  }
  const std::lock_guard lock(opened.mutex);
  opened.read.push_back(std::move(parameter));
  *value = &opened.read.back()->parameter;
  return NDIS_STATUS_SUCCESS;
}

}  // namespace

uint32_t TpNdisSetConfiguration(const char* section, const char* keyword, const char* value) noexcept try {
  if (section == nullptr || *section == 0 || keyword == nullptr || *keyword == 0) {
    return ERROR_INVALID_PARAMETER;
  }
  const auto wide = [](const char* text) {
    ANSI_STRING narrow;
    RtlInitAnsiString(&narrow, text);
    UNICODE_STRING converted{};
    std::wstring out;
    if (RtlAnsiStringToUnicodeString(&converted, &narrow, TRUE) == STATUS_SUCCESS) {
      out = view(&converted);
      RtlFreeUnicodeString(&converted);
    }
    return out;
  };
  if (value == nullptr) {
    Configuration::instance().erase(wide(section), wide(keyword));
  } else {
    Configuration::instance().set(wide(section), wide(keyword), wide(value));
  }
  return ERROR_SUCCESS;
} catch (const std::bad_alloc&) {
  return ERROR_NOT_ENOUGH_MEMORY;
}

VOID NdisOpenProtocolConfiguration(PNDIS_STATUS Status, PNDIS_HANDLE ConfigurationHandle,
                                   PNDIS_STRING ProtocolSection) {
  store(Status, guarded(__func__, [&] {
          if (ConfigurationHandle == nullptr || view(ProtocolSection).empty()) {
            return NDIS_STATUS_FAILURE;
          }
          return open(std::wstring(view(ProtocolSection)), ConfigurationHandle);
        }));
}

VOID NdisOpenConfiguration(PNDIS_STATUS Status, PNDIS_HANDLE ConfigurationHandle,
                           NDIS_HANDLE WrapperConfigurationContext) {
  NDIS_CONFIGURATION_OBJECT object{};
  object.Header = {NDIS_OBJECT_TYPE_CONFIGURATION_OBJECT, NDIS_CONFIGURATION_OBJECT_REVISION_1,
                   NDIS_SIZEOF_CONFIGURATION_OBJECT_REVISION_1};
  object.NdisHandle = WrapperConfigurationContext;
  store(Status, NdisOpenConfigurationEx(&object, ConfigurationHandle));
}

NDIS_STATUS NdisOpenConfigurationEx(PNDIS_CONFIGURATION_OBJECT ConfigObject, PNDIS_HANDLE ConfigurationHandle) {
  return guarded(__func__, [&] {
    if (ConfigObject == nullptr || ConfigurationHandle == nullptr ||
        ConfigObject->Header.Type != NDIS_OBJECT_TYPE_CONFIGURATION_OBJECT || ConfigObject->Header.Revision < 1 ||
        ConfigObject->Header.Size < NDIS_SIZEOF_CONFIGURATION_OBJECT_REVISION_1) {
      return NDIS_STATUS_INVALID_PARAMETER;
    }
    auto section = turnpike::ndis::section_of(ConfigObject->NdisHandle);
    return section ? open(std::move(*section), ConfigurationHandle) : NDIS_STATUS_FAILURE;
  });
}

VOID NdisOpenConfigurationKeyByName(PNDIS_STATUS Status, NDIS_HANDLE ConfigurationHandle, PNDIS_STRING SubKeyName,
                                    PNDIS_HANDLE SubKeyHandle) {
  store(Status, guarded(__func__, [&] {
          const auto opened = pin(ConfigurationHandle, "NdisOpenConfigurationKeyByName");
          if (!opened || SubKeyHandle == nullptr || view(SubKeyName).empty()) {
            return NDIS_STATUS_FAILURE;
          }
          const std::wstring name = opened->section + L"\\" + std::wstring(view(SubKeyName));
          return Configuration::instance().has_section(name) ? open(name, SubKeyHandle) : NDIS_STATUS_FAILURE;
        }));
}

VOID NdisOpenConfigurationKeyByIndex(PNDIS_STATUS Status, NDIS_HANDLE ConfigurationHandle, ULONG Index,
                                     PNDIS_STRING KeyName, PNDIS_HANDLE KeyHandle) {
  store(Status, guarded(__func__, [&] {
          const auto opened = pin(ConfigurationHandle, "NdisOpenConfigurationKeyByIndex");
          if (!opened || KeyName == nullptr || KeyHandle == nullptr) {
            return NDIS_STATUS_FAILURE;
          }
          auto name = Configuration::instance().subsection(opened->section, Index);
          if (!name) {
            return NDIS_STATUS_FAILURE;
          }
          const NDIS_STATUS status = open(opened->section + L"\\" + *name, KeyHandle);
          if (status == NDIS_STATUS_SUCCESS) {
            const std::lock_guard lock(opened->mutex);
            opened->names.push_back(std::make_unique<std::wstring>(std::move(*name)));
            RtlInitUnicodeString(KeyName, opened->names.back()->c_str());
          }
          return status;
        }));
}

VOID NdisReadConfiguration(PNDIS_STATUS Status, PNDIS_CONFIGURATION_PARAMETER* ParameterValue,
                           NDIS_HANDLE ConfigurationHandle, PNDIS_STRING Keyword, NDIS_PARAMETER_TYPE ParameterType) {
  store(Status, guarded(__func__, [&] {
          const auto opened = pin(ConfigurationHandle, "NdisReadConfiguration");
          if (!opened || ParameterValue == nullptr) {
            return NDIS_STATUS_FAILURE;
          }
          return read(*opened, view(Keyword), ParameterType, ParameterValue);
        }));
}

VOID NdisWriteConfiguration(PNDIS_STATUS Status, NDIS_HANDLE ConfigurationHandle, PNDIS_STRING Keyword,
                            PNDIS_CONFIGURATION_PARAMETER ParameterValue) {
  store(Status, guarded(__func__, [&] {
          const auto opened = pin(ConfigurationHandle, "NdisWriteConfiguration");
          const auto text = ParameterValue != nullptr ? turnpike::ndis::written_as(*ParameterValue) : std::nullopt;
          if (!opened || view(Keyword).empty() || !text) {
            return NDIS_STATUS_FAILURE;
          }
          Configuration::instance().set(opened->section, view(Keyword), *text);
          return NDIS_STATUS_SUCCESS;
        }));
}

VOID NdisCloseConfiguration(NDIS_HANDLE ConfigurationHandle) {
  Handles::remove<Opened>(ConfigurationHandle, __func__, kNoConfiguration);
}
