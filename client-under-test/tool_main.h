/* bosh-client as a tool for people, for main.c. */
#ifndef CLIENT_TOOL_MAIN_H
#define CLIENT_TOOL_MAIN_H

/* argv[1] and what follows is a command with its options. May end the program,
 * for a bad one. Returns the exit status. */
int tool_main(int argc, char **argv);

#endif
