/*
 * The two configuration blocks: what the router manager hands over is checked whole before any of it is used, and who
 * works by one takes a copy, because it may be replaced meanwhile.
 */
#include "nrp.h"

const NRP_GLOBAL_CONFIG NrpDefaultConfig = {30000, 90000, 60000, NRP_LOG_ERROR, 0};

DWORD NrpCheckGlobalConfig(PVOID Info, ULONG Version, ULONG Size, ULONG Count)
{
    NRP_GLOBAL_CONFIG Config;

    if (Info == NULL || Version != NRP_GLOBAL_VERSION || Size != sizeof(Config) || Count != 1) {
        return ERROR_INVALID_PARAMETER;
    }
    CopyMemory(&Config, Info, sizeof(Config));
    if (Config.AnnouncePeriod < 100 || Config.AnnouncePeriod > 3600000) {
        return ERROR_INVALID_PARAMETER;
    }
    if (Config.RouteLifetime <= Config.AnnouncePeriod || Config.RouteLifetime == INFINITE) {
        return ERROR_INVALID_PARAMETER;
    }
    if (Config.LoggingLevel > NRP_LOG_INFORMATION || Config.RedistributeAll > 1) {
        return ERROR_INVALID_PARAMETER;
    }
    return NO_ERROR;
}

DWORD NrpCheckInterfaceConfig(PVOID Info, ULONG Version, ULONG Size, ULONG Count)
{
    NRP_INTERFACE_CONFIG Config;

    if (Info == NULL || Version != NRP_INTERFACE_VERSION || Size != sizeof(Config) || Count != 1) {
        return ERROR_INVALID_PARAMETER;
    }
    CopyMemory(&Config, Info, sizeof(Config));
    if (Config.Cost < 1 || Config.Cost >= NRP_INFINITY || Config.Passive > 1) {
        return ERROR_INVALID_PARAMETER;
    }
    return NO_ERROR;
}

NRP_GLOBAL_CONFIG NrpGlobalConfig(void)
{
    NRP_GLOBAL_CONFIG Config;

    EnterCriticalSection(&Nrp.Lock);
    Config = Nrp.Config;
    LeaveCriticalSection(&Nrp.Lock);
    return Config;
}

NRP_INTERFACE_CONFIG NrpInterfaceConfig(PNRP_INTERFACE Interface)
{
    NRP_INTERFACE_CONFIG Config;

    EnterCriticalSection(&Nrp.Lock);
    Config = Interface->Config;
    LeaveCriticalSection(&Nrp.Lock);
    return Config;
}
