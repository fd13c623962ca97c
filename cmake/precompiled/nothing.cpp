// Something to compile for a target that is there for its precompiled header.
int main() { return 0; }
