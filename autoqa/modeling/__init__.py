"""Backbone and answer head; the forward passes that training and the bundle share."""
