// Su-exec UID:GID COMMAND... becomes that user and runs the command in its own place. Like its namesake
// in the official image it needs the right to change groups, so an unprivileged user is refused.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

func check(what string, err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "su-exec: %s: %v\n", what, err)
		os.Exit(1)
	}
}

func main() {
	if len(os.Args) < 3 {
		check("usage", fmt.Errorf("su-exec UID:GID COMMAND [ARGUMENT...]"))
	}
	user, group, _ := strings.Cut(os.Args[1], ":")
	uid, err := strconv.Atoi(user)
	check("user "+user, err)
	gid, err := strconv.Atoi(group)
	check("group "+group, err)
	check(fmt.Sprintf("setgroups(%d)", gid), syscall.Setgroups([]int{gid}))
	check(fmt.Sprintf("setgid(%d)", gid), syscall.Setgid(gid))
	check(fmt.Sprintf("setuid(%d)", uid), syscall.Setuid(uid))
	path, err := exec.LookPath(os.Args[2])
	check(os.Args[2], err)
	check(path, syscall.Exec(path, os.Args[2:], os.Environ()))
}
