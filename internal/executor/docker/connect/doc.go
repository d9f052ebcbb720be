// Package connect finds the container engine that the user means: by the
// environment, by the Docker context, or at one of the usual places.
package connect
