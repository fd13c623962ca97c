#define UNICODE
#define CLIENT strings_client_unicode
#include "strings_client.inc"
