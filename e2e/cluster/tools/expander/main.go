// What Go makes of a pattern or of a priorities map, a line of JSON in, a line of JSON out: the judge in tests of the priority expander's
// ConfigMap, which Cluster Autoscaler reads with Go's regexp and a YAML library of Go, older versions with v2 and later ones with v3.
package main

import (
	"bufio"
	"encoding/json"
	"os"
	"regexp"

	yaml2 "go.yaml.in/yaml/v2"
	yaml3 "go.yaml.in/yaml/v3"
)

type question struct {
	Pattern *string
	Text    *string
	Names   []string
}

type answer struct {
	Error   string
	Matches []bool
	Maps    []read
}

type read struct {
	Error string
	Map   map[int][]string
}

func main() {
	in, out := bufio.NewReader(os.Stdin), json.NewEncoder(os.Stdout)
	for decoder := json.NewDecoder(in); ; {
		var asked question
		if decoder.Decode(&asked) != nil {
			return
		}
		out.Encode(answered(asked))
	}
}

func answered(asked question) answer {
	if asked.Text != nil {
		return answer{Maps: []read{parsed(*asked.Text, yaml2.Unmarshal), parsed(*asked.Text, yaml3.Unmarshal)}}
	}
	pattern, err := regexp.Compile(*asked.Pattern)
	if err != nil {
		return answer{Error: err.Error()}
	}
	found := answer{}
	for _, name := range asked.Names {
		found.Matches = append(found.Matches, pattern.FindStringIndex(name) != nil)
	}
	return found
}

func parsed(text string, unmarshal func([]byte, any) error) read {
	found := read{}
	if err := unmarshal([]byte(text), &found.Map); err != nil {
		found.Error = err.Error()
	}
	return found
}
