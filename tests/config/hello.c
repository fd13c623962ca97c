// The example at the top of turnpike/module.h, as plain C; with -DTP_TEST_FUTURE a library of an interface to come,
// with -DTP_TEST_PLAIN one that describes nothing.

#include <turnpike/module.h>

typedef struct HELLO_CONFIG {
  uint32_t interval;
  uint32_t ttl;
} HELLO_CONFIG;

static const TpSetting settings[] = {
    {.name = "interval",
     .help = "How often a greeting is sent.",
     .fallback = "10s",
     .type = TP_SETTING_DURATION,
     TP_SETTING_AT(HELLO_CONFIG, interval),
     .least = 1000,
     .most = 3600000},
    {.name = "ttl",
     .help = "How far it goes.",
     .fallback = "1",
     .type = TP_SETTING_UNSIGNED,
     TP_SETTING_AT(HELLO_CONFIG, ttl),
     .least = 1,
     .most = 255},
};
static const TpSettings on_interface = {sizeof(HELLO_CONFIG), 2, settings};

extern TP_API const TpModule hello_module;
const TpModule hello_module = {.protocol_id = 1,
                               .transport = TP_MODULE_IP,
                               .name = "hello",
                               .version = "1.0",
                               .summary = "Greets neighbours",
                               .interface_settings = &on_interface};

#if defined(TP_TEST_FUTURE)
extern TP_API const TpModuleLibrary TpModuleLibraryDescription;
const TpModuleLibrary TpModuleLibraryDescription = {TP_MODULE_API + 1, 1, &hello_module};
#elif !defined(TP_TEST_PLAIN)
TP_MODULE_LIBRARY(&hello_module, 1);
extern TP_API const TpModuleMib hello_mib;
const TpModuleMib hello_mib = {.protocol_id = 1, .transport = TP_MODULE_IP, .counts = &on_interface};
TP_MODULE_MIBS(&hello_mib, 1);
#endif
